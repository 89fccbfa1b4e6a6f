// The state file of a training run: parameters, optimiser state and averages by name, whatever bundles they lie in.
#include <charconv>
#include <cstring>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/leaf.h"
#include "gpu/train/trainer.h"

namespace gpu::train {
namespace {

constexpr std::string_view format_name = "heddle training state 1";
constexpr std::string_view own = "heddle.", extra_prefix = "extra.";

// The elements in row-major order, where they lie if they lie so.
struct Bytes {
    StorageRef storage;
    std::vector<std::byte> copy;
    std::span<const std::byte> span;
};

Bytes bytes_of(const Tensor& x) {
    Bytes bytes{.storage = x.value(), .copy = {}, .span = {}};
    if (bytes.storage && bytes.storage->order == row_major(x.shape().size())) {
        bytes.span = host_bytes(bytes.storage);
        return bytes;
    }
    bytes.copy.resize(static_cast<std::size_t>(x.element_count()) * size_of(x.dtype()));
    read(x, bytes.copy);
    bytes.span = bytes.copy;
    return bytes;
}

std::int64_t whole_number(const Checkpoint& file, const std::string& key) {
    const auto found = file.metadata().find(key);
    std::int64_t value = -1;
    if (found != file.metadata().end())
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    check(value >= 0, ErrorCode::BadFile, "{}: expected a whole number for {}, got \"{}\"", file.path(), key,
          found == file.metadata().end() ? "nothing" : found->second);
    return value;
}

// Copies a tensor of the file to `into`.
void fetch(const Checkpoint& file, const std::string& name, const Spec& spec, std::span<std::byte> into) {
    const TensorEntry* entry = file.find(name);
    check(entry != nullptr, ErrorCode::BadFile, "{}: expected a tensor {}, got none", file.path(), name);
    check(entry->dtype == spec.dtype && entry->shape == spec.shape && entry->bytes.size() == into.size(), ErrorCode::BadFile,
          "{}: expected {} for {}, got {}", file.path(), to_string(spec), name, to_string(Spec{entry->shape, entry->dtype}));
    std::memcpy(into.data(), entry->bytes.data(), into.size());
}

}  // namespace

// Calls visit(name, tensor of a bundle, shape, offset in elements) for everything that is kept by name.
template <typename Self, typename Visit>
void Trainer::for_each_kept(Self& self, Visit visit) {
    for (auto& bundle : self.bundles_) {
        const auto names = self.options_.optimiser->state_names(bundle.value.shape());
        for (const std::size_t m : bundle.members) {
            const Member& member = self.members_[m];
            const bool whole = bundle.members.size() == 1;
            visit("parameter." + member.name, bundle.value, member.shape, member.offset);
            for (std::size_t s = 0; s < names.size(); ++s)
                visit(names[s] + "." + member.name, bundle.state[s], whole ? bundle.state[s].shape() : member.shape, member.offset);
            if (bundle.average) visit("average." + member.name, bundle.average, member.shape, member.offset);
        }
    }
    if (self.scale_.scale) {
        visit("loss_scale", self.scale_.scale, Shape{1}, 0);
        visit("good_steps", self.scale_.good_steps, Shape{1}, 0);
    }
}

void Trainer::save(const std::string& path, const std::map<std::string, std::string>& extra) const {
    std::map<std::uint64_t, Bytes> bytes;   // by tensor
    std::vector<TensorEntry> entries;
    for_each_kept(*this, [&](const std::string& name, const Tensor& tensor, const Shape& shape, std::int64_t offset) {
        const auto [found, fresh] = bytes.try_emplace(tensor.id());
        if (fresh) found->second = bytes_of(tensor);
        const std::size_t size = size_of(tensor.dtype());
        entries.push_back({name, tensor.dtype(), shape,
                           found->second.span.subspan(static_cast<std::size_t>(offset) * size, static_cast<std::size_t>(element_count(shape)) * size)});
    });
    std::map<std::string, std::string> metadata{{"format", std::string(format_name)},
                                                {std::string(own) + "optimiser", options_.optimiser->name()},
                                                {std::string(own) + "step", std::to_string(step_)},
                                                {std::string(own) + "taken", std::to_string(taken_)}};
    for (const auto& [key, value] : extra) metadata[std::string(extra_prefix) + key] = value;
    save_safetensors(path, entries, metadata);
}

std::map<std::string, std::string> Trainer::load(const std::string& path) {
    const Checkpoint file = open_checkpoint(path);
    const auto meta = [&](const std::string& key) {
        const auto found = file.metadata().find(key);
        return found == file.metadata().end() ? std::string("nothing") : found->second;
    };
    check(meta("format") == format_name, ErrorCode::BadFile, "{}: expected a {}, got {}", path, format_name, meta("format"));
    const std::string optimiser = meta(std::string(own) + "optimiser");
    check(optimiser == options_.optimiser->name(), ErrorCode::BadFile, "{}: expected a state of {}, got one of {}", path,
          options_.optimiser->name(), optimiser);
    const std::int64_t step = whole_number(file, std::string(own) + "step"), taken = whole_number(file, std::string(own) + "taken");

    // All tensors are fetched before any is replaced, so that a bad file changes nothing.
    std::map<std::uint64_t, std::shared_ptr<std::vector<std::byte>>> bytes;
    std::size_t expected = 0;
    for_each_kept(*this, [&](const std::string& name, const Tensor& tensor, const Shape& shape, std::int64_t offset) {
        const std::size_t size = size_of(tensor.dtype());
        auto& whole = bytes[tensor.id()];
        if (!whole) whole = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(tensor.element_count()) * size);
        fetch(file, name, {shape, tensor.dtype()},
              std::span(*whole).subspan(static_cast<std::size_t>(offset) * size, static_cast<std::size_t>(element_count(shape)) * size));
        ++expected;
    });
    check(file.entries().size() == expected, ErrorCode::BadFile, "{}: expected {} tensors, got {}", path, expected, file.entries().size());
    const auto replace = [&](Tensor& tensor) {
        const auto& whole = bytes.at(tensor.id());
        tensor = leaf(tensor.spec(), *whole, whole);
    };
    for (Bundle& bundle : bundles_) {
        replace(bundle.value);
        for (Tensor& state : bundle.state) replace(state);
        if (bundle.average) replace(bundle.average);
    }
    if (scale_.scale) {
        replace(scale_.scale);
        replace(scale_.good_steps);
    }
    step_ = step;
    taken_ = taken;
    std::map<std::string, std::string> extra;
    for (const auto& [key, value] : file.metadata())
        if (key.starts_with(extra_prefix)) extra[key.substr(extra_prefix.size())] = value;
    return extra;
}

}  // namespace gpu::train
