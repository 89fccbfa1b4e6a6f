// The noise levels that a diffusion model was trained on: how much of the picture and how much noise x_t holds at each
// training timestep (DDPM, arXiv:2006.11239), and the same as sigmas of k-diffusion (EDM, arXiv:2206.00364).
#pragma once

#include <string>
#include <vector>

namespace nodes {

// x_t = signal * x0 + noise * e, with signal^2 + noise^2 = 1.
struct NoiseLevel {
    double timestep = 0;      // what the network is told; may be fractional
    double signal = 1;        // sqrt(alpha_bar)
    double noise = 0;         // sqrt(1 - alpha_bar)

    double alpha_bar() const { return signal * signal; }
    double sigma() const { return noise / signal; }       // of y = x_t / signal = x0 + sigma e; infinite without signal
    double lambda() const;                                // ln(signal / noise), half the log SNR
};

NoiseLevel level_of_sigma(double timestep, double sigma);
NoiseLevel level_of_alpha_bar(double timestep, double alpha_bar);

enum class BetaRule { Linear, ScaledLinear, Cosine };

struct NoiseTableOptions {
    BetaRule rule = BetaRule::ScaledLinear;
    double beta_start = 0.00085, beta_end = 0.012;        // Stable Diffusion's
    int count = 1000;
    // Rescaled so that the last level holds no picture at all (arXiv:2305.08891). Wants v or x0 prediction.
    bool zero_terminal_snr = false;
};

class NoiseTable {
public:
    // Throws Error{InvalidGraph} for counts below 2 or betas outside (0, 1).
    explicit NoiseTable(const NoiseTableOptions& options = {});

    int count() const { return static_cast<int>(alpha_bars_.size()); }
    double alpha_bar(int timestep) const { return alpha_bars_[static_cast<std::size_t>(timestep)]; }
    NoiseLevel level(int timestep) const { return level_of_alpha_bar(timestep, alpha_bar(timestep)); }
    // Between timesteps: sigmas are interpolated linearly, as k-diffusion's users do. Clamped to the table.
    NoiseLevel level(double timestep) const;
    // The inverse, interpolated in log sigma and clamped to the table.
    double timestep_of(double sigma) const;

    double lowest_sigma() const { return sigmas_.front(); }
    double highest_sigma() const { return sigmas_.back(); }

private:
    std::vector<double> alpha_bars_, sigmas_;
};

}  // namespace nodes
