// What distinguishes two ops of one name. Equality, hashing, printing and plan keys all derive from these.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gpu/base/hash.h"

namespace gpu {

using AttrValue = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>>;

struct Attr {
    std::string name;
    AttrValue value;
    // False for numbers that may change from call to call without changing the plan: they travel as push constants.
    bool structural = true;

    friend bool operator==(const Attr&, const Attr&) = default;
};

using Attrs = std::vector<Attr>;

std::string to_string(const AttrValue& value);
std::string to_string(const Attrs& attrs);   // "stride=2, pad=[1, 1]"
void add_to(Hasher& hasher, const AttrValue& value);

}  // namespace gpu
