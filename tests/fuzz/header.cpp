// libFuzzer over the headers of pictures and model files: see targets.h.
#include "tests/fuzz/fuzzer.h"

HEDDLE_FUZZER(tests::broken_by_header)
