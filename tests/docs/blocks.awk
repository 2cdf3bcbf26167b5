# Takes the C++ out of a page of Markdown. The line before each block says where its code belongs:
#
#   <!-- cpp: program -->    a whole program, into WORK/NAME.LINE.cpp; what a block of text after
#                            it shows, it prints
#   <!-- cpp: namespace -->  at namespace scope
#   <!-- cpp: main -->       inside of a function
#
# The last two go into WORK/NAME.cpp, in the order of the page, after prelude.hpp.
# Variables: work, name, page (as errors are to name it).
function fail(why) {
  print page ":" NR ": " why > "/dev/stderr"
  failed = 1
}
/^<!-- cpp: / { context = $3; next }
/^```cpp$/ {
  if (context !~ /^(program|namespace|main)$/) fail("a block of C++ without a context before it")
  kind = context
  file = work "/" name (kind == "program" ? "." NR : "") ".cpp"
  if (kind != "program" && !begun++) print "#include \"prelude.hpp\"" > file
  if (kind == "main") print "void page_" NR "() {" > file
  print "#line " NR + 1 " \"" page "\"" > file
  in_code = 1
  next
}
/^```text$/ && last == "program" { file = work "/" name "." program ".txt"; in_text = 1; next }
/^```$/ && in_code {
  if (kind == "main") print "}" > file
  if (kind == "program") program = substr(file, length(work "/" name ".") + 1) + 0
  last = kind
  in_code = 0
  context = ""
  next
}
/^```$/ && in_text { in_text = 0; last = ""; next }
in_code || in_text { print > file; next }
/^#/ { last = "" }
/[^ ]/ { context = "" }
END { exit failed }
