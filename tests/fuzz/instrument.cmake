# What reads files of others is watched: every address, every undefined operation, every branch taken. The rest of the program,
# which only has to be there, is built without, in a third of the time.
set(HEDDLE_FUZZ_OPTIONS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
file(GLOB watched CONFIGURE_DEPENDS gpu/base/*.cpp gpu/io/*.cpp nodes/core/*.cpp nodes/interchange/*.cpp
     nodes/codec/exif.cpp nodes/codec/picture_texts.cpp nodes/codec/png.cpp nodes/codec/webp.cpp)
heddle_own_options(SOURCES ${watched} OPTIONS ${HEDDLE_FUZZ_OPTIONS})
