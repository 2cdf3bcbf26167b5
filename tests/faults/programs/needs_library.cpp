// A program that cannot run without a shared library, which a test takes away.
int from_library();
int main() { return from_library(); }
