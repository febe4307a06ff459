# Test targets.  Included from the top Makefile.
