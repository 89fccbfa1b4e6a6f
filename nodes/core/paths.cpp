#include "nodes/core/paths.h"

#include <algorithm>
#include <filesystem>

namespace nodes {
namespace {

namespace fs = std::filesystem;

std::string absolute_from(const std::string& folder, const std::string& name) {
    return fs::absolute(fs::path(folder) / name).lexically_normal().string();
}

fs::path real_path(const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
    return error ? fs::absolute(path).lexically_normal() : real;
}

}  // namespace

std::string resolve_input(const FilePlaces& places, const std::string& name) {
    if (name.empty()) return {};
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
    return std::ranges::any_of(places.allowed, [&](const std::string& entry) {
        fs::path root = real_path(entry);
        if (root.filename().empty()) root = root.parent_path();  // "/data/" ends in an empty name
        return std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
    });
}

}  // namespace nodes
