# The README's program is examples/hello, and prints what the README says.
# hello.sh HELLO SOURCE_FOLDER
source "$(dirname "$0")/support.sh"
hello=$1 source=$2
make_work_folder

# The first block of a language in the README, without its fences.
readme_block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$source/README.md" | sed '1d; /^```$/,$d'; }
# Process ids and times differ from run to run.
without_figures() { sed -E 's/worker [0-9]+/worker N/; s/[0-9]+ ms/N ms/'; }

diff <(readme_block cpp) "$source/examples/hello/hello.cpp" || fail 'the README shows another program'
expect_status 0 "$hello"
diff <(readme_block text | without_figures) <(without_figures <"$work/out") ||
  fail 'the program does not print what the README says'
nothing_left_behind "$hello"
