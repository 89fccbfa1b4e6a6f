// Parameters that are computed from others: {"=": "size.width / 2"} in the place of a number.
//
//     sum      = product {("+" | "-") product}          product = power {("*" | "/" | "%") power}
//     power    = sign ["^" power]                       sign = {"-" | "+"} value
//     value    = number | NODE.param | "`NODE`".param | "pi" | name "(" sum {"," sum} ")" | "(" sum ")"
//
// with abs, ceil, floor, round, sqrt, exp, log, sin, cos, min, max and clamp(x, low, high). Names are nodes and numeric
// parameters of the same level of the document, computed ones too; nothing else can be reached. Whole-number parameters take
// the nearest whole number, switches anything but 0 as on.
#pragma once

#include <QJsonValue>
#include <functional>
#include <optional>
#include <string>

#include "nodes/core/document.h"

namespace nodes {

// The text of a computed parameter, nothing for other values; and the value that holds a text.
std::optional<std::string> expression_of(const QJsonValue& value);
QJsonValue expression_value(const std::string& text);

// Throws Error{InvalidGraph} with the column where the text is no expression, and what `value_of` throws.
double evaluate_expression(const std::string& text, const std::function<double(const Endpoint&)>& value_of);

// The number, whole number or switch that a computed parameter comes to; other values come back as they are. Throws
// Error{InvalidGraph} naming what is wrong: the text, a name, a ring of parameters, a result that is no number.
QJsonValue computed_param(const Document& document, const std::string& node, const std::string& param);

// The document with all computed parameters as numbers; those that can not be computed stay.
Document computed(const Document& document);

}  // namespace nodes
