#include "nodes/core/socket_type.h"

namespace nodes {

const Conversion* SocketType::conversion_from(const SocketType& from) const {
    for (const Conversion& conversion : accepts)
        if (conversion.from == from.name) return &conversion;
    return nullptr;
}

std::size_t Value::bytes() const { return empty() ? 0 : type_->bytes(content_.get()); }

std::string Value::summary() const {
    return empty() || !type_->summary ? std::string() : type_->summary(content_.get());
}

QImage Value::preview(int max_side) const {
    return empty() || !type_->preview ? QImage() : type_->preview(content_.get(), max_side);
}

std::optional<gpu::Hash> Value::hash() const {
    if (empty() || !type_->hash) return std::nullopt;
    return type_->hash(content_.get());
}

std::optional<StoredValue> Value::stored() const {
    if (empty() || !type_->store || !type_->restore) return std::nullopt;
    return type_->store(content_.get());
}

Value Value::converted_to(const SocketType& wanted) const {
    if (empty() || type_ == &wanted || wanted.any) return *this;
    const Conversion* conversion = wanted.conversion_from(*type_);
    return conversion ? conversion->convert(*this) : Value();
}

}  // namespace nodes
