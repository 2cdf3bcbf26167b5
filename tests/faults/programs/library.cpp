int from_library();
int from_library() { return 0; }
