// JSON as people read and diff it: canonical bytes for equal values.
#pragma once

#include <QByteArray>
#include <QJsonValue>
#include <string>

namespace nodes {

// Indented text without a final newline. Keys in order (a few well-known ones first or last, the rest by name); a list
// or object of plain values stands on one line where it fits.
QByteArray canonical_json(const QJsonValue& value);

// The value with every whole number below 2^53 as an integer, so that 1.0 and 1 are one value and write the same bytes.
QJsonValue normalised(const QJsonValue& value);

// The first name that an object of the text holds twice, empty for none or where the text is no JSON. (Qt's reader
// keeps the last of two, which would lose a node without a word.)
std::string repeated_key(const QByteArray& text);

}  // namespace nodes
