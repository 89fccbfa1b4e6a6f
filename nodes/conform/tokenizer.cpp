// Texts to 77 ids. The merges lie beside the cases, in ../real/tokenizer.
#include <QJsonArray>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/conform/conform.h"
#include "nodes/models/clip/tokenizer.h"

namespace nodes {
namespace {

ConformOutputs run_tokenizer(const ConformCase& given) {
    const QString file = given.json["vocabulary"].toString("merges.txt");
    gpu::check(!file.contains('/'), gpu::ErrorCode::BadFile, "{}: expected a file name, got '{}'", given.name, file.toStdString());
    const auto folder = std::filesystem::path(given.folder).parent_path().parent_path() / "real" / "tokenizer";
    const ClipTokenizer tokenizer = ClipTokenizer::open((folder / file.toStdString()).string());
    const QJsonArray cases = given.json["cases"].toArray();
    std::vector<float> ours;
    int right = 0;
    for (const QJsonValue& one : cases) {
        const QJsonArray ids = one["ids"].toArray();
        const auto made = tokenizer.encode_padded(one["text"].toString(), tokenizer.end(), std::max<std::size_t>(ids.size(), 77));
        bool same = ids.isEmpty() || ids.size() == static_cast<qsizetype>(made.size());
        for (qsizetype i = 0; same && i < ids.size(); ++i) same = ids[i].toInt() == made[static_cast<std::size_t>(i)];
        gpu::check(same, gpu::ErrorCode::Numeric, "{}: other ids than expected for '{}'", given.name, one["text"].toString().toStdString());
        right += 1;
        for (const int id : made) ours.push_back(static_cast<float>(id));
    }
    gpu::check(right > 0, gpu::ErrorCode::BadFile, "{}: expected cases, got none", given.name);
    return {{"ids", gpu::tensor(ours, {right, static_cast<std::int64_t>(ours.size()) / right})}};
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(tokenizer, nodes::run_tokenizer)
