#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <cmath>

#include "gpu/base/error.h"
#include "nodes/core/lists.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

constexpr int most = 100000;

double finite_number(const QString& text) {
    bool read = false;
    const double number = text.trimmed().toDouble(&read);
    gpu::check(read && std::isfinite(number), gpu::ErrorCode::InvalidGraph, "expected a number, got '{}'", text.trimmed().toStdString());
    return number;
}

// "1, 2.5, 7", or FIRST:LAST:COUNT, both ends included.
std::vector<double> numbers_of(const QString& text) {
    std::vector<double> numbers;
    if (!text.contains(':')) {
        for (const QString& part : text.split(',')) numbers.push_back(finite_number(part));
        return numbers;
    }
    const QStringList parts = text.split(':');
    gpu::check(parts.size() == 3, gpu::ErrorCode::InvalidGraph, "expected FIRST:LAST:COUNT, got '{}'", text.toStdString());
    const double first = finite_number(parts[0]), last = finite_number(parts[1]), count = finite_number(parts[2]);
    gpu::check(count >= 1 && count <= most && count == std::floor(count), gpu::ErrorCode::InvalidGraph, "expected a count from 1 to {}, got {}", most, count);
    for (int i = 0; i < static_cast<int>(count); ++i) numbers.push_back(count == 1 ? first : first + (last - first) * i / (count - 1));
    return numbers;
}

struct ListNumbers final : ListNode {
    ListNumbers() : ListNode({.id = "list.numbers", .version = 1, .title = "Numbers", .category = "List",
                              .help = "A list of numbers. What depends on it runs once for each, up to a Collect List."}, ListRole::Source) {}

    Param<std::string> values{this, "values", "The numbers: 1, 2.5, 7, or FIRST:LAST:COUNT for so many evenly spaced ones, both ends included", {.initial = "1:5:5"}};
    Out<double>        number{this, "number", "One of the numbers"};

    std::vector<ListElement> elements(const std::vector<QJsonValue>& params, const FilePlaces*) const override {
        std::vector<ListElement> made;
        for (const double value : numbers_of(params[static_cast<std::size_t>(values.index())].toString()))
            made.push_back({.label = QString::number(value, 'g', 10).toStdString(),
                            .parts = {{.type = "value.number", .params = {{"value", value}}, .output = "number", .value = value}}});
        return made;
    }
};

}  // namespace

REGISTER_NODE(list_numbers, ListNumbers)

}  // namespace nodes
