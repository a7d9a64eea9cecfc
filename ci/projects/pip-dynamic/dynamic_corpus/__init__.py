import pathspec
