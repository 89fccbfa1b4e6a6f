// What distinguishes two ops of one name. Equality, hashing, printing and plan keys all derive from these.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gpu/base/field_buffer.h"

namespace gpu {

// A list of numbers as an attribute: looked at where the op keeps it, so it is read while the op lives; or held, where it was
// made for the occasion.
class AttrList {
public:
    AttrList(const std::vector<std::int64_t>& kept) : items_(kept) {}
    AttrList(std::vector<std::int64_t>&& made) : made_(std::make_shared<const std::vector<std::int64_t>>(std::move(made))), items_(*made_) {}

    std::size_t size() const { return items_.size(); }
    auto begin() const { return items_.begin(); }
    auto end() const { return items_.end(); }
    std::int64_t operator[](std::size_t i) const { return items_[i]; }

private:
    std::shared_ptr<const std::vector<std::int64_t>> made_;
    std::span<const std::int64_t> items_;
};

using AttrValue = std::variant<std::int64_t, double, std::string, AttrList>;

struct Attr {
    std::string_view name;   // a literal
    AttrValue value;
    // False for numbers that may change from call to call without changing the plan: they travel as push constants.
    bool structural = true;
};

using Attrs = std::vector<Attr>;

std::string to_string(const AttrValue& value);
std::string to_string(const Attrs& attrs);   // "stride=2, pad=[1, 1]"
void add_to(FieldBuffer& fields, const AttrValue& value);

}  // namespace gpu
