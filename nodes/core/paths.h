// Which file a name in a document means, and whether a run may touch it.
#pragma once

#include <string>
#include <vector>

namespace nodes {

struct FilePlaces {
    std::string document_folder;       // empty: the document has no file
    std::string output_folder;         // empty: the current folder
    std::vector<std::string> allowed;  // folders, or files by name; empty: anywhere

    friend bool operator==(const FilePlaces&, const FilePlaces&) = default;
};

// The absolute path of a file to read: relative names start from the document's folder, else (where no such file is
// there) from the current one; "heddle:models/pico" is a file of Heddle's own. Empty stays empty.
std::string resolve_input(const FilePlaces& places, const std::string& name);
// The absolute path of a file to write.
std::string resolve_output(const FilePlaces& places, const std::string& name);

// Whether `path` lies in an allowed folder or is an allowed file, symbolic links followed.
bool path_allowed(const FilePlaces& places, const std::string& path);
// The same for reading: Heddle's own files are readable for every graph.
bool path_readable(const FilePlaces& places, const std::string& path);

// Where Heddle's own files lie (graphs, models): $HEDDLE_RESOURCES, the installed ones, or those of the sources that were built.
std::string resource_folder();

}  // namespace nodes
