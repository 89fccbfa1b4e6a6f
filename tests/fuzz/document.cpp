// libFuzzer over the text of documents: see targets.h.
#include "tests/fuzz/fuzzer.h"

HEDDLE_FUZZER(tests::broken_by_document)
