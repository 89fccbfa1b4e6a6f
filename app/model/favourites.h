// Node types that the user has starred. Kept in the program's settings. On the GUI thread.
#pragma once

#include <string>
#include <vector>

namespace app {

// Ids of types in the order in which they were starred; those that this program lacks are kept and left out here.
std::vector<std::string> favourite_types();
bool is_favourite(const std::string& type);
void set_favourite(const std::string& type, bool on);

}  // namespace app
