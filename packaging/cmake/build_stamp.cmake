# Writes OUT, a source file with a hash of the ARCHIVES: results of nodes that another build computed are not this one's.
set(all "")
foreach(archive IN LISTS ARCHIVES)
    file(SHA256 ${archive} hash)
    string(APPEND all ${hash})
endforeach()
string(SHA256 stamp "${all}")
string(SUBSTRING ${stamp} 0 32 stamp)
file(CONFIGURE OUTPUT ${OUT} CONTENT "extern const char* const heddle_build_stamp;\nconst char* const heddle_build_stamp = \"${stamp}\";\n" @ONLY)
