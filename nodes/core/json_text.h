// JSON as people read and diff it: canonical bytes for equal values.
#pragma once

#include <QByteArray>
#include <QJsonValue>

namespace nodes {

// Indented text without a final newline. Keys in order (a few well-known ones first or last, the rest by name); a list or
// object of plain values stands on one line where it fits.
QByteArray canonical_json(const QJsonValue& value);

// The value with every whole number below 2^53 as an integer, so that 1.0 and 1 are one value and write the same bytes.
QJsonValue normalised(const QJsonValue& value);

}  // namespace nodes
