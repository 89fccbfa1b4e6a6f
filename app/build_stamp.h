// Which build this program is: a hash of the libraries that compute (packaging/cmake/build_stamp.cmake).
#pragma once

extern const char* const heddle_build_stamp;
