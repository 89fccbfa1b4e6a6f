#include "nodes/core/node.h"

#include <algorithm>
#include <cctype>

namespace nodes {
namespace {

// "mask_blur" -> "Mask blur"
std::string label_of(const std::string& name) {
    std::string label = name;
    std::ranges::replace(label, '_', ' ');
    if (!label.empty()) label[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(label[0])));
    return label;
}

template <typename Info>
int append(std::vector<Info>& list, Info info) {
    if (info.label.empty()) info.label = label_of(info.name);
    list.push_back(std::move(info));
    return static_cast<int>(list.size()) - 1;
}

template <typename Info>
const Info* by_name(const std::vector<Info>& list, const std::string& name) {
    const auto at = std::ranges::find(list, name, &Info::name);
    return at == list.end() ? nullptr : &*at;
}

}  // namespace

const SocketInfo* Node::input(const std::string& name) const { return by_name(inputs_, name); }
const SocketInfo* Node::output(const std::string& name) const { return by_name(outputs_, name); }
const ParamInfo* Node::param(const std::string& name) const { return by_name(params_, name); }

int Node::declare_input(SocketInfo info) { return append(inputs_, std::move(info)); }
int Node::declare_output(SocketInfo info) { return append(outputs_, std::move(info)); }
int Node::declare_param(ParamInfo info) { return append(params_, std::move(info)); }

}  // namespace nodes
