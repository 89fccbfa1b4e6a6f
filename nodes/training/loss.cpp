#include "nodes/training/loss.h"

#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace nodes {
namespace {

constexpr std::initializer_list<int> within{1, 2, 3};      // an item

// A mean over each item, [N].
Tensor per_item(const Tensor& x) { return gpu::mean(x, within, false); }

class DifferenceLoss final : public LossTerm {
public:
    DifferenceLoss(Difference kind, double turn) : kind_(kind), turn_(turn) {}
    Tensor operator()(const LossSides& s) const override {
        const Tensor error = of(s.made - s.wanted);
        return per_item(s.weight ? s.weight * error : error);
    }
    std::string summary() const override {
        const char* names[] = {"square", "absolute", "huber", "log cosh"};
        return kind_ == Difference::Huber ? gpu::format("huber {}", turn_) : names[static_cast<int>(kind_)];
    }

private:
    Tensor of(const Tensor& off) const {
        switch (kind_) {
            case Difference::Absolute: return gpu::abs(off);
            case Difference::Huber: return pseudo_huber(gpu::square(off), turn_);
            case Difference::LogCosh: {      // |d| + log((1 + exp(-2 |d|)) / 2), which no d overflows
                const Tensor size = gpu::abs(off);
                return size + gpu::log(gpu::exp(-2.0 * size) + 1.0) - std::log(2.0);
            }
            default: return gpu::square(off);
        }
    }
    Difference kind_;
    double turn_;
};

class PerceptualLoss final : public LossTerm {
public:
    explicit PerceptualLoss(Vision judge) : judge_(std::move(judge)) {}
    Tensor operator()(const LossSides& s) const override {
        const auto states = [&](const Tensor& p) { return (*judge_.tower)(judge_.tower->pixels(p * 0.5 + 0.5, VisionFit::Stretch)).penultimate; };      // [N, T, W]
        const Tensor error = gpu::mean(gpu::square(states(s.made) - states(s.wanted)), {1, 2}, false);
        return s.weight ? per_item(s.weight) * error : error;
    }
    int channels() const override { return 3; }
    std::string summary() const override { return gpu::format("{}'s states", judge_.tower->info().name); }

private:
    Vision judge_;
};

class CoarseLoss final : public LossTerm {
public:
    CoarseLoss(LossRef of, int factor) : of_(std::move(of)), factor_(factor) {}
    Tensor operator()(const LossSides& s) const override { return (*of_)({pooled(s.made), pooled(s.wanted), s.weight && s.weight.size(2) > 1 ? pooled(s.weight) : s.weight}); }
    int channels() const override { return of_->channels(); }
    std::string summary() const override { return gpu::format("{} of {} x {} cells", of_->summary(), factor_, factor_); }

private:
    Tensor pooled(const Tensor& x) const {
        gpu::check(x.size(2) % factor_ == 0 && x.size(3) % factor_ == 0, gpu::ErrorCode::InvalidGraph, "coarse loss: expected sides in multiples of {}, got {} x {}", factor_,
                   x.size(3), x.size(2));
        return gpu::mean(gpu::reshape(x, {x.size(0), x.size(1), x.size(2) / factor_, factor_, x.size(3) / factor_, factor_}), {3, 5}, false);
    }
    LossRef of_;
    int factor_;
};

class WeightedLoss final : public LossTerm {
public:
    WeightedLoss(LossRef of, Mask map) : of_(std::move(of)), map_(std::move(map)) {
        gpu::check(map_.batch() == 1, gpu::ErrorCode::InvalidGraph, "weighted loss: expected one map, got {}", map_.batch());
    }
    Tensor operator()(const LossSides& s) const override {
        const Tensor map = gpu::resize(map_.tensor, s.made.size(2), s.made.size(3), gpu::Filter::Area);
        return (*of_)({s.made, s.wanted, s.weight ? s.weight * map : gpu::broadcast_to(map, {s.made.size(0), 1, s.made.size(2), s.made.size(3)})});
    }
    int channels() const override { return of_->channels(); }
    std::string summary() const override { return gpu::format("{} by a map", of_->summary()); }

private:
    LossRef of_;
    Mask map_;
};

class SumLoss final : public LossTerm {
public:
    explicit SumLoss(std::vector<std::pair<double, LossRef>> terms) : terms_(std::move(terms)) {
        gpu::check(!terms_.empty(), gpu::ErrorCode::InvalidGraph, "sum of losses: expected one at least, got none");
        for (const auto& [weight, term] : terms_) {
            gpu::check(channels_ == 0 || term->channels() == 0 || term->channels() == channels_, gpu::ErrorCode::InvalidGraph,
                       "sum of losses: expected terms of one number of channels, got {} and {}", channels_, term->channels());
            if (term->channels()) channels_ = term->channels();
        }
    }
    Tensor operator()(const LossSides& s) const override {
        Tensor sum;
        for (const auto& [weight, term] : terms_) {
            const Tensor one = weight * (*term)(s);
            sum = sum ? sum + one : one;
        }
        return sum;
    }
    int channels() const override { return channels_; }
    std::string summary() const override {
        std::string all;
        for (const auto& [weight, term] : terms_) all += gpu::format("{}{} {}", all.empty() ? "" : " + ", weight, term->summary());
        return all;
    }

private:
    std::vector<std::pair<double, LossRef>> terms_;
    int channels_ = 0;
};

}  // namespace

Tensor pseudo_huber(const Tensor& squared, double turn) { return 2 * turn * (gpu::sqrt(squared + turn * turn) - turn); }

LossRef difference_loss(Difference kind, double turn) {
    gpu::check(kind != Difference::Huber || turn > 0, gpu::ErrorCode::InvalidGraph, "loss: expected a turn above 0, got {}", turn);
    return std::make_shared<DifferenceLoss>(kind, turn);
}
LossRef perceptual_loss(const Vision& judge) { return std::make_shared<PerceptualLoss>(judge); }
LossRef coarse_loss(LossRef of, int factor) { return std::make_shared<CoarseLoss>(std::move(of), factor); }
LossRef weighted_loss(LossRef of, const Mask& map) { return std::make_shared<WeightedLoss>(std::move(of), map); }
LossRef sum_loss(std::vector<std::pair<double, LossRef>> terms) { return std::make_shared<SumLoss>(std::move(terms)); }

}  // namespace nodes
