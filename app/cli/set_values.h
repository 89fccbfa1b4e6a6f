// What --set gives: values as the command line has them, or from files.
#pragma once

#include <QByteArray>
#include <string>
#include <vector>

#include "app/cli/arguments.h"

namespace app {

// "NODE.param=@FILE" with the file's text for the value, without the line break that ends it; "NODE.param=@@text" as
// "NODE.param=@text"; everything else as it is. "@-" is stdin. Throws gpu::Error with --set NODE.param before the message: MissingFile,
// Io, BadFile for a text that is not UTF-8 or is longer than 16 MiB.
std::string resolved_set(const std::string& assignment);

// All of --set, resolved. Throws gpu::Error{Usage}, too, where stdin is asked for more than once (GRAPH and --inputs counted).
// Only what stands on the command line is resolved: what comes through a server's socket names no files.
std::vector<std::string> given_sets(const Arguments& arguments);

// The bytes of a file or a pipe, or of stdin for "-"; `most` + 1 of them where there are more. Throws gpu::Error{MissingFile, Io}.
QByteArray read_source(const std::string& path, const std::string& expected, qint64 most);

}  // namespace app
