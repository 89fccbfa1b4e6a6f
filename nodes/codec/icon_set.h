// Icon sets in Iconify's JSON (iconify.design: IconifyJSON, as its npm packages @iconify-json/* have it), drawn by Qt SVG.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "nodes/types/pixels.h"

namespace nodes {

// Immutable, used by several threads.
class IconSet {
public:
    // Hidden icons and those that refer to pictures elsewhere are left out. Throws MissingFile, BadFile.
    explicit IconSet(const std::string& path);
    ~IconSet();

    std::size_t size() const;
    const std::string& prefix() const;                  // "noto"
    const std::string& name(std::size_t icon) const;    // "red-heart"
    // On a transparent background, the longer side of this many pixels. Throws BadFile for a picture that can not be drawn.
    Pixels draw(std::size_t icon, int side) const;

private:
    struct Icons;
    std::unique_ptr<const Icons> icons_;
};

}  // namespace nodes
