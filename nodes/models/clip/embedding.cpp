#include "nodes/models/clip/embedding.h"

#include <algorithm>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/base/format.h"

namespace nodes {
namespace {

using gpu::TensorEntry;

constexpr std::string_view webui_prefix = "string_to_param.";
constexpr std::int64_t most_vectors = 75;      // places of a chunk

bool holds_vectors(const TensorEntry& entry) {
    const bool numbers = entry.blocks || entry.dtype == gpu::Dtype::F32 || entry.dtype == gpu::Dtype::F16 || entry.dtype == gpu::Dtype::BF16 || entry.dtype == gpu::Dtype::F64;
    return numbers && entry.foreign.empty() && (entry.shape.size() == 1 || entry.shape.size() == 2) && entry.shape.back() > 1;
}

// [D] or [n, D] as rows.
TextEmbedding::Rows rows_of(const gpu::Checkpoint& file, const TensorEntry& entry) {
    const std::int64_t count = entry.shape.size() == 1 ? 1 : entry.shape[0];
    gpu::check(holds_vectors(entry) && count >= 1 && count <= most_vectors, gpu::ErrorCode::BadFile, "{}: expected 1 to {} vectors [n, D] for {}, got {} {}", file.path(),
               most_vectors, entry.name, gpu::type_name(entry), gpu::to_string(entry.shape));
    const std::vector<float> values = gpu::entry_floats(entry);
    const auto width = static_cast<std::ptrdiff_t>(entry.shape.back());
    TextEmbedding::Rows rows;
    for (std::int64_t i = 0; i < count; ++i)
        rows.push_back(std::make_shared<const std::vector<float>>(values.begin() + i * width, values.begin() + (i + 1) * width));
    return rows;
}

TextEmbedding embedding_of(const gpu::Checkpoint& file, const TensorEntry& entry, std::vector<std::string> names) {
    return {std::move(names), {{static_cast<int>(entry.shape.empty() ? 0 : entry.shape.back()), rows_of(file, entry)}}};
}

// "<cat>_2" -> "<cat>" where a tensor of that name is there too.
const TensorEntry* first_of_word(const gpu::Checkpoint& file, const std::string& name) {
    const std::size_t at = name.rfind('_');
    if (at == name.npos || at == 0 || at + 1 == name.size() || name.find_first_not_of("0123456789", at + 1) != name.npos || name[at + 1] == '0') return nullptr;
    return file.find(name.substr(0, at));
}

}  // namespace

std::vector<TextEmbedding> read_text_embeddings(const gpu::Checkpoint& file, const std::string& given) {
    const std::string name = given.empty() ? std::filesystem::path(file.path()).stem().string() : given;
    const auto refuse = [&](const std::string& got) {
        throw gpu::Error(gpu::ErrorCode::BadFile, "{}: expected a textual inversion: a token with its vectors, string_to_param, emb_params, clip_l and clip_g, got {}",
                         file.path(), got);
    };
    std::vector<TextEmbedding> found;
    const auto named = [&](std::string token) {
        std::vector<std::string> names;
        if (!token.empty()) names.push_back(std::move(token));
        const std::string own = found.empty() ? name : gpu::format("{}_{}", name, found.size());
        if (names.empty() || names[0] != own) names.push_back(own);
        return names;
    };
    if (file.find("clip_l") || file.find("clip_g")) {
        TextEmbedding word{{name}, {}};
        for (const char* part : {"clip_l", "clip_g"})
            if (const TensorEntry* entry = file.find(part)) word.rows[static_cast<int>(entry->shape.empty() ? 0 : entry->shape.back())] = rows_of(file, *entry);
        return {std::move(word)};
    }
    if (const TensorEntry* entry = file.find("emb_params")) return {embedding_of(file, *entry, {name})};
    const auto marked = [&](const TensorEntry& entry) {
        const auto at = file.metadata().find(entry.name);
        return at != file.metadata().end() && at->second == "<embed>";
    };
    const std::vector<TensorEntry>& entries = file.entries();
    if (std::any_of(entries.begin(), entries.end(), marked)) {
        for (const TensorEntry& entry : entries)
            if (marked(entry)) found.push_back(embedding_of(file, entry, named(entry.name)));
        return found;
    }
    for (const TensorEntry& entry : entries)
        if (std::string_view(entry.name).starts_with(webui_prefix)) {
            const auto own = file.metadata().find("name");
            found.push_back(embedding_of(file, entry, named(own == file.metadata().end() ? std::string() : own->second)));
        }
    if (!found.empty()) return found;
    if (entries.empty()) refuse("no tensors");
    if (entries.size() == 1 && entries[0].name == "tensor") return {embedding_of(file, entries[0], {name})};
    // diffusers: nothing but tokens with their vectors. Names with dots are weights of a model.
    for (const TensorEntry& entry : entries)
        if (!holds_vectors(entry) || (entry.name.find('.') != entry.name.npos && entry.name.find('<') == entry.name.npos && entries.size() > 1))
            refuse("tensors such as " + entry.name + " " + gpu::to_string(entry.shape));
    for (const TensorEntry& entry : entries) {
        if (first_of_word(file, entry.name)) continue;
        TextEmbedding word = embedding_of(file, entry, named(entry.name));
        for (int i = 1;; ++i) {
            const TensorEntry* next = file.find(gpu::format("{}_{}", entry.name, i));
            if (!next) break;
            const TextEmbedding::Rows more = rows_of(file, *next);
            gpu::check(next->shape.back() == entry.shape.back(), gpu::ErrorCode::BadFile, "{}: expected vectors of width {} for {}, got {}", file.path(), entry.shape.back(),
                       next->name, next->shape.back());
            auto& rows = word.rows.begin()->second;
            rows.insert(rows.end(), more.begin(), more.end());
        }
        found.push_back(std::move(word));
    }
    return found;
}

}  // namespace nodes
