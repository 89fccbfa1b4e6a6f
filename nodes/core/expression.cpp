#include "nodes/core/expression.h"

#include <QJsonObject>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <vector>

#include "gpu/base/error.h"
#include "nodes/core/json_text.h"
#include "nodes/core/nearest.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;

constexpr int deepest = 64;      // brackets in brackets, parameters of parameters

class Parser {
public:
    Parser(const std::string& text, const std::function<double(const Endpoint&)>& value_of) : text_(text), value_of_(value_of) {}

    double all() {
        const double value = sum();
        if (skip(), at_ < text_.size()) expected("an operator");
        return value;
    }

private:
    [[noreturn]] void expected(const std::string& what) const {
        throw Error(ErrorCode::InvalidGraph, "expression '{}': expected {} at column {}, got {}", text_, what, at_ + 1,
                    at_ < text_.size() ? "'" + text_.substr(at_, 1) + "'" : std::string("the end"));
    }
    void skip() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    }
    bool take(char wanted) {
        skip();
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    double sum() {
        double value = product();
        for (;;) {
            if (take('+'))
                value += product();
            else if (take('-'))
                value -= product();
            else
                return value;
        }
    }
    double product() {
        double value = power();
        for (;;) {
            if (take('*'))
                value *= power();
            else if (take('/'))
                value /= power();
            else if (take('%'))
                value = std::fmod(value, power());
            else
                return value;
        }
    }
    double power() {
        if (++depth_ > deepest) expected("less nesting");
        const double base = sign();
        const double value = take('^') ? std::pow(base, power()) : base;
        --depth_;
        return value;
    }
    double sign() {
        double factor = 1;
        for (;;) {
            if (take('-'))
                factor = -factor;
            else if (!take('+'))
                return factor * value();
        }
    }
    double value() {
        if (take('(')) {
            const double inner = sum();
            if (!take(')')) expected("')'");
            return inner;
        }
        skip();
        if (at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.')) return number();
        const std::string first = name();
        if (take('.')) return value_of_({first, name()});
        if (take('(')) return call(first);
        if (first == "pi") return std::numbers::pi;
        expected("NODE.param or a function after '" + first + "'");
    }
    double number() {
        std::size_t end = at_;
        while (end < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[end])) || text_[end] == '.')) ++end;
        if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
            std::size_t after = end + 1;
            if (after < text_.size() && (text_[after] == '-' || text_[after] == '+')) ++after;
            if (after < text_.size() && std::isdigit(static_cast<unsigned char>(text_[after])))
                for (end = after; end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end]));) ++end;
        }
        bool read = false;
        const double value = QString::fromStdString(text_.substr(at_, end - at_)).toDouble(&read);
        if (!read) expected("a number");
        at_ = end;
        return value;
    }
    std::string name() {
        skip();
        if (at_ < text_.size() && text_[at_] == '`') {
            const std::size_t end = text_.find('`', at_ + 1);
            if (end == std::string::npos) expected("a second '`'");
            const std::string quoted = text_.substr(at_ + 1, end - at_ - 1);
            at_ = end + 1;
            return quoted;
        }
        std::size_t end = at_;
        while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_' || static_cast<unsigned char>(text_[end]) >= 0x80)) ++end;
        if (end == at_) expected("a value");
        return text_.substr(std::exchange(at_, end), end - at_);
    }
    double call(const std::string& function) {
        std::vector<double> given;
        do given.push_back(sum());
        while (take(','));
        if (!take(')')) expected("')'");
        static const std::map<std::string, double (*)(double)> of_one = {
            {"abs", [](double x) { return std::abs(x); }},   {"ceil", [](double x) { return std::ceil(x); }}, {"floor", [](double x) { return std::floor(x); }},
            {"round", [](double x) { return std::round(x); }}, {"sqrt", [](double x) { return std::sqrt(x); }}, {"exp", [](double x) { return std::exp(x); }},
            {"log", [](double x) { return std::log(x); }},   {"sin", [](double x) { return std::sin(x); }},   {"cos", [](double x) { return std::cos(x); }}};
        if (const auto at = of_one.find(function); at != of_one.end() && given.size() == 1) return at->second(given[0]);
        if (function == "min") return *std::ranges::min_element(given);
        if (function == "max") return *std::ranges::max_element(given);
        if (function == "clamp" && given.size() == 3) return std::min(std::max(given[0], given[1]), given[2]);
        throw Error(ErrorCode::InvalidGraph, "expression '{}': expected a function, got '{}' of {} values", text_, function, given.size());
    }

    const std::string& text_;
    const std::function<double(const Endpoint&)>& value_of_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

// Computes each parameter once: "b.x + b.x" over thirty parameters in a row would be a thousand million additions.
class Evaluation {
public:
    explicit Evaluation(const Document& document) : document_(document) {}

    QJsonValue value_of(const Endpoint& param) {
        within_.clear();      // what an error may have left
        return computed(param);
    }

private:
    QJsonValue computed(const Endpoint& param) {
        const QJsonValue value = document_.param(param.node, param.socket);
        const auto text = expression_of(value);
        if (!text) return value;
        if (const auto at = known_.find(param); at != known_.end()) return at->second;
        gpu::check(std::ranges::find(within_, param) == within_.end() && within_.size() < deepest, ErrorCode::InvalidGraph,
                   "expression '{}': expected no ring of parameters, {} depends on itself", *text, param.text());
        within_.push_back(param);
        const double result = evaluate_expression(*text, [&](const Endpoint& other) { return number_of(other); });
        within_.pop_back();
        gpu::check(std::isfinite(result), ErrorCode::InvalidGraph, "expression '{}': expected a number, got {}", *text, result);
        return known_[param] = as_declared(param, result);
    }

    QJsonValue as_declared(const Endpoint& param, double result) const {
        const Node* type = document_.type_of(param.node);
        const ParamInfo* info = type ? type->param(param.socket) : nullptr;
        if (info && info->kind == ParamKind::Bool) return result != 0;
        if (info && (info->kind == ParamKind::Int || info->kind == ParamKind::Seed)) return static_cast<qint64>(std::llround(std::clamp(result, -9e15, 9e15)));
        return result;
    }

    double number_of(const Endpoint& param) {
        if (!document_.contains(param.node))
            throw Error(ErrorCode::InvalidGraph, "expected a node of the document, got '{}'{}", param.node, suggestion(param.node, document_.node_ids()));
        const QJsonValue value = computed(param);
        if (value.isBool()) return value.toBool();
        gpu::check(value.isDouble(), ErrorCode::InvalidGraph, "expected a parameter that is a number, got {}", param.text());
        return value.toDouble();
    }

    const Document& document_;
    std::vector<Endpoint> within_;
    std::map<Endpoint, QJsonValue> known_;
};

}  // namespace

std::optional<std::string> expression_of(const QJsonValue& value) {
    if (!value.isObject() || value.toObject().size() != 1 || !value["="].isString()) return std::nullopt;
    return value["="].toString().toStdString();
}

QJsonValue expression_value(const std::string& text) { return QJsonObject{{"=", QString::fromStdString(text)}}; }

double evaluate_expression(const std::string& text, const std::function<double(const Endpoint&)>& value_of) { return Parser(text, value_of).all(); }

QJsonValue computed_param(const Document& document, const std::string& node, const std::string& param) {
    return Evaluation(document).value_of({node, param});
}

Document computed(const Document& document) {
    Evaluation evaluation(document);
    std::vector<std::pair<Endpoint, QJsonValue>> results;
    for (const std::string& id : document.node_ids()) {
        const QJsonObject& params = document.node(id).params;
        for (auto at = params.begin(); at != params.end(); ++at) {
            if (!expression_of(at.value())) continue;
            try {
                const std::string name = at.key().toStdString();
                results.emplace_back(Endpoint{id, name}, evaluation.value_of({id, name}));
            } catch (const Error&) {      // validate() says why
            }
        }
    }
    if (results.empty()) return document;
    std::vector<NodeRecord> records;
    auto next = results.begin();      // in the order of the ids, as the nodes are
    for (const std::string& id : document.node_ids()) {
        NodeRecord& record = records.emplace_back(document.node(id));
        for (; next != results.end() && next->first.node == id; ++next) record.params[QString::fromStdString(next->first.socket)] = normalised(next->second);
    }
    return document.with_content(records, document.links());
}

}  // namespace nodes
