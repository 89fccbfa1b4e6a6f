// What node types are called elsewhere: in ComfyUI, in other tools and in papers.
#pragma once

#include <QStringList>
#include <string>

namespace app {

// Names of ComfyUI's classes first, then of papers and other tools; empty for none. Built once, on the GUI thread.
const QStringList& other_names(const std::string& type);

}  // namespace app
