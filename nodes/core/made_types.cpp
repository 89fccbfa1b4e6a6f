#include "nodes/core/made_types.h"

#include <map>
#include <mutex>

#include "nodes/core/node.h"

namespace nodes {
namespace {

struct Types {
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> by_id;
};

Types& types() {
    static Types made;
    return made;
}

}  // namespace

const Node& made_type(const std::string& id, const std::function<std::unique_ptr<Node>()>& make) {
    const std::lock_guard lock(types().mutex);
    auto& type = types().by_id[id];
    if (!type) type = make();
    return *type;
}

const Node* find_made_type(std::string_view id) {
    const std::lock_guard lock(types().mutex);
    const auto at = types().by_id.find(id);
    return at == types().by_id.end() ? nullptr : at->second.get();
}

}  // namespace nodes
