// Folders of pictures with captions, as trainers of all tools read them.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace nodes {

struct FolderPicture {
    std::string path;
    std::string caption;      // empty: none was found
    std::string mask;         // path of NAME-mask.SUFFIX; empty: there is none
};

// The pictures below a folder, by path. A picture's caption comes from the first of these that has one:
//   NAME.txt or NAME.caption beside NAME.png          the text in it, white space around it cut
//   metadata.jsonl, metadata.csv, captions.json       in its folder or above: file_name and text (or caption); captions.json: {"NAME.png": "caption"}
// NAME-mask.png (or another suffix) beside NAME.png is its mask, and no picture of its own.
// Throws MissingFile where there is no such folder; BadFile for a table that can not be read, naming file and line.
std::vector<FolderPicture> list_pictures(const std::string& folder);

// Rows of comma-separated text (RFC 4180): quotes, doubled quotes, line breaks inside quotes. Throws BadFile for a quote that does not end.
std::vector<std::vector<std::string>> read_csv(const std::string& text, const std::string& name);

}  // namespace nodes
