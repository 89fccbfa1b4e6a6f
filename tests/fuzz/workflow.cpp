// libFuzzer over what other tools write as text: see targets.h.
#include "tests/fuzz/fuzzer.h"

HEDDLE_FUZZER(tests::broken_by_workflow)
