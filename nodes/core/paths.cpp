#include "nodes/core/paths.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace nodes {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view own_prefix = "heddle:";

std::string absolute_from(const std::string& folder, const std::string& name) {
    return fs::absolute(fs::path(folder) / name).lexically_normal().string();
}

fs::path real_path(const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
    return error ? fs::absolute(path).lexically_normal() : real;
}

bool lies_in(const fs::path& real, const std::string& entry) {
    fs::path root = real_path(entry);
    if (root.filename().empty()) root = root.parent_path();  // "/data/" ends in an empty name
    return std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
}

}  // namespace

std::string resolve_input(const FilePlaces& places, const std::string& name) {
    if (name.empty()) return {};
    if (name.starts_with(own_prefix))      // ".." leads nowhere out of it
        return resource_folder() + (fs::path("/") / name.substr(own_prefix.size())).lexically_normal().string();
    if (!places.document_folder.empty()) {
        const std::string beside = absolute_from(places.document_folder, name);
        std::error_code error;
        if (fs::exists(beside, error)) return beside;
    }
    return absolute_from("", name);
}

std::string resolve_output(const FilePlaces& places, const std::string& name) {
    return name.empty() ? std::string() : absolute_from(places.output_folder, name);
}

bool path_allowed(const FilePlaces& places, const std::string& path) {
    if (places.allowed.empty()) return true;
    const fs::path real = real_path(path);
    return std::ranges::any_of(places.allowed, [&](const std::string& entry) { return lies_in(real, entry); });
}

bool path_readable(const FilePlaces& places, const std::string& path) { return path_allowed(places, path) || lies_in(real_path(path), resource_folder()); }

std::string resource_folder() {
    static const std::string found = [] {
        if (const char* chosen = std::getenv("HEDDLE_RESOURCES"); chosen && *chosen) return std::string(chosen);
        std::error_code error;
        const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path(), installed = (program / HEDDLE_RESOURCE_FOLDER).lexically_normal();
        return (fs::is_directory(installed, error) ? installed : (program / "../../resources").lexically_normal()).string();
    }();
    return found;
}

}  // namespace nodes
