// Strengths per block of a UNet, as people write them for LoRAs and for merges.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace nodes {

// Parsed from one of
//   ""                                   1 everywhere
//   "1,0,0,0,1,1,..."                    a vector of the A1111 extensions: 17 (BASE, IN01 02 04 05 07 08, MID, OUT03 to 11) or 26 values
//                                        (BASE, IN00 to 11, MID, OUT00 to 11) for SD 1 and 2; 12 (BASE, IN04 05 07 08, MID, OUT00 to 05)
//                                        or 20 (BASE, IN00 to 08, MID, OUT00 to 08) for SDXL. Blocks that it leaves out count 1.
//   "in=0.5 mid=1 out3-8=0.2 base=0"     by name, later ones over earlier ones; all=X is the others' value, 1 by default
// BASE is what lies in no block: text encoders and embeddings.
class BlockStrengths {
public:
    BlockStrengths() = default;
    // Throws Error{InvalidGraph} with what was expected.
    explicit BlockStrengths(const std::string& text);

    double base() const { return base_; }
    // Of a weight named as ldm names it: "input_blocks.4.1.proj_in.weight".
    double of(const std::string& name) const;

private:
    double base_ = 1, middle_ = 1, others_ = 1;
    std::map<int, double> input_, output_;
};

}  // namespace nodes
