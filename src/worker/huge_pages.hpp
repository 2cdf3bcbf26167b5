// A fork server's memory lies in huge pages where the system has some: what it has loaded for all
// of its workers is forked with a page table of hundreds of entries, instead of a hundred thousand.
// glibc's malloc asks the kernel for them when its tunables say so as the program starts; what the
// program starts itself has no need of that.
#pragma once

#include <string>
#include <vector>

namespace bulkhead::worker {

// In the app: adds the wish to the environment of a program, unless that says itself what malloc is
// to do about huge pages. Its other tunables stay.
void ask_for_huge_pages(std::vector<std::string>& environment);

// In the program: makes its environment what it was without the wish.
void forget_huge_pages();

}  // namespace bulkhead::worker
