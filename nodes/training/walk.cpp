#include "nodes/training/walk.h"

#include <algorithm>

#include "gpu/base/error.h"

namespace nodes {

Walk::Walk(std::uint64_t seed, std::int64_t size, std::vector<int> groups, int batch, int accumulate)
    : seed_(seed), size_(size), batch_(batch), per_step_(std::int64_t{batch} * accumulate) {
    gpu::check(groups.empty() || static_cast<std::int64_t>(groups.size()) == size, gpu::ErrorCode::Failure, "walk: expected a group for each of {} items, got {}", size, groups.size());
    for (std::size_t item = 0; item < groups.size(); ++item) {
        const auto group = static_cast<std::size_t>(groups[item]);
        if (members_.size() <= group) members_.resize(group + 1);
        members_[group].push_back(static_cast<std::int64_t>(item));
    }
    for (const auto& items : members_) steps_ += (static_cast<std::int64_t>(items.size()) + per_step_ - 1) / per_step_;
}

// Each group in an order of its own, cut into steps, and these steps in an order of theirs.
void Walk::begin_pass(std::uint64_t pass) const {
    std::vector<std::vector<Visit>> steps;
    for (std::size_t g = 0; g < members_.size(); ++g) {
        const std::int64_t count = static_cast<std::int64_t>(members_[g].size());
        const std::uint64_t own = seed_ + (g + 1) * 0x9E3779B97F4A7C15;
        for (std::int64_t i = 0; i < count; ++i) {
            if (i % per_step_ == 0) steps.emplace_back();
            const Visit at = visit_at(own, pass * static_cast<std::uint64_t>(count) + static_cast<std::uint64_t>(i), count);
            steps.back().push_back({members_[g][static_cast<std::size_t>(at.item)], 0});
        }
    }
    order_.clear();
    std::uint64_t number = pass * static_cast<std::uint64_t>(size_);
    for (std::int64_t i = 0; i < steps_; ++i) {
        const Visit at = visit_at(seed_, pass * static_cast<std::uint64_t>(steps_) + static_cast<std::uint64_t>(i), steps_);
        order_.push_back(std::move(steps[static_cast<std::size_t>(at.item)]));
        for (Visit& visit : order_.back()) visit.number = number++;
    }
    pass_ = static_cast<std::int64_t>(pass);
}

std::vector<std::vector<Visit>> Walk::step(std::int64_t step) const {
    std::vector<Visit> visits;
    if (members_.empty()) {
        for (std::int64_t i = 0; i < per_step_; ++i) visits.push_back(visit_at(seed_, static_cast<std::uint64_t>(step * per_step_ + i), size_));
    } else {
        if (step / steps_ != pass_) begin_pass(static_cast<std::uint64_t>(step / steps_));
        visits = order_[static_cast<std::size_t>(step % steps_)];
    }
    std::vector<std::vector<Visit>> parts;
    for (std::size_t at = 0; at < visits.size(); at += static_cast<std::size_t>(batch_)) {
        const auto first = visits.begin() + static_cast<std::ptrdiff_t>(at);
        parts.emplace_back(first, first + static_cast<std::ptrdiff_t>(std::min(static_cast<std::size_t>(batch_), visits.size() - at)));
    }
    return parts;
}

}  // namespace nodes
