#include "gpu/nn/scope.h"

#include <set>

#include "gpu/base/error.h"
#include "gpu/base/philox.h"
#include "gpu/io/zero_bytes.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

// Uniform words addressed by (seed, name, element).
Tensor drawn(std::uint64_t seed, const std::string& name, const Shape& shape, Scope::Init init) {
    if (init.bound == 0) return full(shape, init.centre);
    const Hash stream = hash_text(name);
    auto values = std::make_shared<std::vector<float>>(static_cast<std::size_t>(element_count(shape)));
    PhiloxCounter words{};
    for (std::size_t i = 0; i < values->size(); ++i) {
        if (i % 4 == 0)
            words = philox({static_cast<std::uint32_t>(i / 4), static_cast<std::uint32_t>(i >> 34),
                            static_cast<std::uint32_t>(stream.low), static_cast<std::uint32_t>(stream.low >> 32)}, seed);
        const double unit = (words[i % 4] >> 8) * 0x1p-24;
        (*values)[i] = static_cast<float>(init.centre + init.bound * (2 * unit - 1));
    }
    return leaf({shape, Dtype::F32}, std::as_bytes(std::span(*values)), values);
}

// "a, b, c and 4 more"
std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text += (i ? ", " : "") + names[i];
    return names.size() > shown ? format("{} and {} more", text, names.size() - shown) : text;
}

}  // namespace

void add_weights(Weights& into, const Checkpoint& file, const std::function<std::string(const std::string&)>& rename) {
    for (const TensorEntry& entry : file.entries()) {
        std::string name = rename ? rename(entry.name) : entry.name;
        if (name.empty()) continue;
        const auto [at, fresh] = into.emplace(name, Weight{entry, file.owner(), file.path()});
        check(fresh, ErrorCode::BadFile, "{}: expected one tensor for {}, got {} and {} of {}", file.path(), name, entry.name,
              at->second.entry.name, at->second.file);
    }
}

Tensor to_leaf(const Weight& weight) {
    const TensorEntry& entry = weight.entry;
    try {
        const std::span<const std::byte> bytes = used_bytes(entry);
        if (entry.blocks)
            return dequantize(leaf({{static_cast<std::int64_t>(bytes.size())}, Dtype::U8}, bytes, weight.owner), *entry.blocks, entry.shape);
        if (entry.dtype == Dtype::F32 || entry.dtype == Dtype::F16 || entry.dtype == Dtype::BF16)
            return cast(leaf({entry.shape, entry.dtype}, bytes, weight.owner), Dtype::F32);
        const auto values = std::make_shared<std::vector<float>>(entry_floats(entry));
        return leaf({entry.shape, Dtype::F32}, std::as_bytes(std::span(*values)), values);
    } catch (Error& error) {
        throw error.in("file " + weight.file);
    }
}

struct Scope::Record {
    enum class Source { Files, Tensors, Random, Shapes, Empty };

    Source source = Source::Shapes;
    std::uint64_t seed = 0;
    Dtype stored = Dtype::F32;                     // of empty weights
    Weights weights;
    std::map<std::string, Tensor, std::less<>> tensors;
    Branches branches;
    std::vector<Asked> asked;
    std::set<std::string, std::less<>> names;      // of asked
    std::vector<std::string> missing;
    std::vector<std::string> misfits;

    void misfit(const std::string& path, const Shape& expected, const Shape& got) {
        misfits.push_back(format("{} (expected {}, got {})", path, to_string(expected), to_string(got)));
    }
    Tensor tensor(const std::string& path, const Shape& shape) {
        const auto at = tensors.find(path);
        if (at == tensors.end()) {
            missing.push_back(path);
            return zeros(shape);
        }
        if (at->second.shape() == shape) return at->second;
        misfit(path, shape, at->second.shape());
        return zeros(shape);
    }
};

Scope Scope::weights(Weights weights) {
    auto record = std::make_shared<Record>();
    record->source = Record::Source::Files;
    record->weights = std::move(weights);
    return {std::move(record), ""};
}

Scope Scope::random(std::uint64_t seed) {
    auto record = std::make_shared<Record>();
    record->source = Record::Source::Random;
    record->seed = seed;
    return {std::move(record), ""};
}

Scope Scope::tensors(std::map<std::string, Tensor, std::less<>> tensors, Branches branches) {
    auto record = std::make_shared<Record>();
    record->source = Record::Source::Tensors;
    record->tensors = std::move(tensors);
    record->branches = std::move(branches);
    return {std::move(record), ""};
}

Scope Scope::shapes() { return {std::make_shared<Record>(), ""}; }

Scope Scope::empty(Dtype stored) {
    auto record = std::make_shared<Record>();
    record->source = Record::Source::Empty;
    record->stored = stored;
    return {std::move(record), ""};
}

Scope Scope::operator/(std::string_view name) const { return {record_, full(name)}; }

std::string Scope::full(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

Tensor Scope::weight(std::string_view name, const Shape& shape, Init init) const {
    const std::string path = full(name);
    if (record_->names.insert(path).second) record_->asked.push_back({path, shape, init});
    switch (record_->source) {
        case Record::Source::Shapes: return zeros(shape);
        case Record::Source::Empty: return cast(empty_leaf({shape, record_->stored}), Dtype::F32);
        case Record::Source::Random: return drawn(record_->seed, path, shape, init);
        case Record::Source::Tensors: return record_->tensor(path, shape);
        case Record::Source::Files: break;
    }
    const auto at = record_->weights.find(path);
    if (at == record_->weights.end()) {
        record_->missing.push_back(path);
        return zeros(shape);
    }
    const TensorEntry& entry = at->second.entry;
    if (entry.shape != shape) {
        record_->misfit(path, shape, entry.shape);
        return zeros(shape);
    }
    return to_leaf(at->second);
}

std::vector<Branch> Scope::branches(std::string_view name) const {
    const auto at = record_->branches.find(full(name));
    return at == record_->branches.end() ? std::vector<Branch>() : at->second;
}

bool Scope::has(std::string_view name) const {
    return record_->weights.contains(full(name)) || record_->tensors.contains(full(name));
}

Shape Scope::shape_of(std::string_view name) const {
    if (const auto at = record_->tensors.find(full(name)); at != record_->tensors.end()) return at->second.shape();
    const auto at = record_->weights.find(full(name));
    return at == record_->weights.end() ? Shape() : at->second.entry.shape;
}

const std::vector<Scope::Asked>& Scope::asked() const { return record_->asked; }

std::vector<std::string> Scope::missing() const { return record_->missing; }

std::vector<std::string> Scope::unexpected() const {
    std::vector<std::string> names;
    for (const auto& [name, weight] : record_->weights)
        if (!record_->names.contains(name)) names.push_back(name);
    for (const auto& [name, tensor] : record_->tensors)
        if (!record_->names.contains(name)) names.push_back(name);
    return names;
}

void Scope::finish(std::string_view what) const {
    std::string problems;
    const auto add = [&](std::string_view kind, const std::vector<std::string>& names) {
        if (!names.empty()) problems += format("{}{} {}: {}", problems.empty() ? "" : "; ", names.size(), kind, listed(names));
    };
    add("missing", missing());
    add("of another shape", record_->misfits);
    add("unexpected", unexpected());
    check(problems.empty(), ErrorCode::BadFile, "{}: the weights do not fit the model: {}", what, problems);
}

}  // namespace gpu
