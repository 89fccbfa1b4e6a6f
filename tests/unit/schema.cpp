// The JSON schema of graph files: sound documents pass it, and what it refuses is refused here as well, when it is read or by
// validate(). The check of the schema itself needs python3-jsonschema and is skipped by name without it.
#include "nodes/reference/schema.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>

#include "gpu/base/error.h"
#include "nodes/core/document.h"
#include "nodes/core/frames.h"
#include "nodes/core/validate.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// Reads {"schema", "documents": [text]} and prints a line for each document: "fits" or what is wrong.
constexpr auto checker = R"(
import json, sys, warnings
warnings.simplefilter('ignore')
import jsonschema
given = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(given['schema'])
validator = jsonschema.Draft202012Validator(given['schema'])
for text in given['documents']:
    error = next(iter(validator.iter_errors(json.loads(text))), None)
    print('fits' if error is None else ('/'.join(map(str, error.absolute_path)) + ': ' + error.message)[:200].replace('\n', ' '))
)";

// Empty where there is no such package.
QList<QByteArray> schema_says(const QList<QByteArray>& documents) {
    QJsonArray texts;
    for (const QByteArray& document : documents) texts.append(QString::fromUtf8(document));
    QProcess python;
    python.start("/usr/bin/python3", {"-c", checker});
    if (!python.waitForStarted()) return {};
    python.write(QJsonDocument(QJsonObject{{"schema", document_schema()}, {"documents", texts}}).toJson());
    python.closeWriteChannel();
    python.waitForFinished(120000);
    const QByteArray wrong = python.readAllStandardError();
    if (wrong.contains("ModuleNotFoundError") || wrong.contains("has no attribute 'Draft202012Validator'")) return {};
    if (python.exitCode() != 0) return {wrong};
    return python.readAllStandardOutput().trimmed().split('\n');
}

// What Heddle says: empty where it finds nothing wrong.
std::string refusal(const QByteArray& text) {
    try {
        for (const Problem& problem : validate(Document::from_json(text)))
            if (problem.severity == Severity::Error) return problem.text();
    } catch (const gpu::Error& error) {
        return error.what();
    }
    return {};
}

// A document whose only fault is the one named.
const QList<std::pair<const char*, QByteArray>> broken{
    {"no object", R"([])"},
    {"no format", R"({"nodes": {}})"},
    {"a format of 0", R"({"heddle": 0})"},
    {"a format in words", R"({"heddle": "1"})"},
    {"a list of nodes", R"({"heddle": 1, "nodes": []})"},
    {"a node that is a number", R"({"heddle": 1, "nodes": {"a": 5}})"},
    {"no type", R"({"heddle": 1, "nodes": {"a": {}}})"},
    {"an empty type", R"({"heddle": 1, "nodes": {"a": {"type": ""}}})"},
    {"a type that is a list", R"({"heddle": 1, "nodes": {"a": {"type": ["value.number"]}}})"},
    {"a version of 0", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 0}}})"},
    {"half a version", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 1.5}}})"},
    {"an unknown mode", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "mode": "frozen"}}})"},
    {"params in a list", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "params": [1]}}})"},
    {"a parameter that there is not", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 1, "params": {"size": 1}}}})"},
    {"a number in words", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 1, "params": {"value": "one"}}}})"},
    {"a whole number with a half", R"({"heddle": 1, "nodes": {"a": {"type": "image.checker", "version": 1, "params": {"width": 1.5}}}})"},
    {"a number below its range", R"({"heddle": 1, "nodes": {"a": {"type": "image.checker", "version": 1, "params": {"width": 0}}}})"},
    {"a number above its range", R"({"heddle": 1, "nodes": {"a": {"type": "image.checker", "version": 1, "params": {"width": 1e9}}}})"},
    {"a colour without its mark", R"({"heddle": 1, "nodes": {"a": {"type": "image.save", "version": 1, "params": {"file": "a.png", "background": "ffffff"}}}})"},
    {"a choice that there is not", R"({"heddle": 1, "nodes": {"a": {"type": "image.save", "version": 1, "params": {"file": "a.png", "depth": "12"}}}})"},
    {"a text that is a number", R"({"heddle": 1, "nodes": {"a": {"type": "value.text", "version": 1, "params": {"value": 5}}}})"},
    {"a switch that is a number", R"({"heddle": 1, "nodes": {"a": {"type": "image.save", "version": 1, "params": {"file": "a.png", "embed": 1}}}})"},
    {"an expression with more beside it", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 1, "params": {"value": {"=": "1", "x": 2}}}}})"},
    {"an expression as a file name", R"({"heddle": 1, "nodes": {"a": {"type": "image.save", "version": 1, "params": {"file": {"=": "1"}}}}})"},
    {"a negative seed", R"({"heddle": 1, "nodes": {"a": {"type": "sample.run", "version": 1, "params": {"seed": -1}}}})"},
    {"a seed in words", R"({"heddle": 1, "nodes": {"a": {"type": "sample.run", "version": 1, "params": {"seed": "x"}}}})"},
    {"links in an object", R"({"heddle": 1, "links": {}})"},
    {"a link that is a text", R"({"heddle": 1, "links": ["a.b"]})"},
    {"a link without an end", R"({"heddle": 1, "links": [{"from": "a.b"}]})"},
    {"an end without a socket", R"({"heddle": 1, "links": [{"from": "a", "to": "b.c"}]})"},
    {"an end of three parts", R"({"heddle": 1, "links": [{"from": "a.b.c", "to": "b.c"}]})"},
    {"a layout in a list", R"({"heddle": 1, "layout": []})"},
    {"a place that is a number", R"({"heddle": 1, "layout": {"a": 5}})"},
    {"subgraphs in a list", R"({"heddle": 1, "subgraphs": []})"},
    {"a subgraph that is a number", R"({"heddle": 1, "subgraphs": {"s": 5}})"},
    {"a bad node in a subgraph", R"({"heddle": 1, "subgraphs": {"s": {"nodes": {"a": {}}}}})"},
    {"a bad parameter in a subgraph", R"({"heddle": 1, "nodes": {"u": {"type": "subgraph:s"}}, "subgraphs": {"s": {"nodes": {"a": {"type": "value.number", "version": 1, "params": {"value": "x"}}}}}})"},
    {"a parameter of a subgraph without a dot", R"({"heddle": 1, "nodes": {"u": {"type": "subgraph:s"}}, "subgraphs": {"s": {"nodes": {"a": {"type": "value.number"}}, "params": {"value": "a"}}}})"},
    {"a parameter of a subgraph that is a number", R"({"heddle": 1, "nodes": {"u": {"type": "subgraph:s"}}, "subgraphs": {"s": {"nodes": {"a": {"type": "value.number"}}, "params": {"value": 5}}}})"}};

const QList<std::pair<const char*, QByteArray>> sound{
    {"empty", R"({"heddle": 1})"},
    {"unknown types, fields and parameters", R"({"heddle": 1, "x": [1], "nodes": {"a": {"type": "of.tomorrow", "y": 2, "params": {"z": {}}}}})"},
    {"another version", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 99, "params": {"size": 1}}}})"},
    {"an expression", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "version": 1, "params": {"value": {"=": "1 + 1"}}}}})"},
    {"a large seed", R"({"heddle": 1, "nodes": {"a": {"type": "sample.run", "version": 1, "params": {"seed": "18446744073709551615"}}}})"},
    {"modes", R"({"heddle": 1, "nodes": {"a": {"type": "value.number", "mode": "muted"}, "b": {"type": "value.number", "mode": "bypassed"}}})"},
    {"a newer format", R"({"heddle": 2, "nodes": {"a": {"type": "value.number"}}})"}};

}  // namespace

class SchemaTest : public QObject {
    Q_OBJECT
private slots:
    void broken_documents_are_refused_by_both() {
        QList<QByteArray> texts;
        for (const auto& [name, text] : broken) {
            texts.append(text);
            QVERIFY2(!refusal(text).empty(), name);
        }
        const QList<QByteArray> says = schema_says(texts);
        if (says.isEmpty()) QSKIP("schema: python3-jsonschema is not installed");
        QCOMPARE(says.size(), broken.size());
        for (qsizetype i = 0; i < says.size(); ++i) QVERIFY2(says[i] != "fits", broken[i].first);
    }

    // Whatever the editor writes as the size of a frame fits; what does not is read as none.
    void sizes_of_frames() {
        const auto framed = [](const QByteArray& fields) -> QByteArray {
            return R"({"heddle": 1, "nodes": {"a": {"type": "value.number"}}, "layout": {"a": {"frame": "f"}}, "frames": {"f": {"title": "F")" + fields + "}}}";
        };
        QList<QByteArray> texts{framed(""), framed(R"(, "width": 320.5)"), framed(R"(, "width": 0, "height": 1e6, "x": [])")};
        for (const auto& [width, height] : {std::pair(480.0, 0.0), std::pair(-5.0, 1e9), std::pair(33.4, 20.6)})
            texts.append(set_frame_size(Document::from_json(framed("")), "f", width, height).to_json());
        const qsizetype fitting = texts.size();
        for (const char* fields : {R"(, "width": -1)", R"(, "height": "tall")", R"(, "width": [320], "height": null)", R"(, "height": {"=": "2 * 3"})"}) {
            texts.append(framed(fields));
            const Frame frame = frames_of(Document::from_json(texts.back())).at("f");
            QVERIFY2(frame.width == 0 && frame.height == 0, fields);
        }
        const QList<QByteArray> says = schema_says(texts);
        if (says.isEmpty()) QSKIP("schema: python3-jsonschema is not installed");
        QCOMPARE(says.size(), texts.size());
        for (qsizetype i = 0; i < texts.size(); ++i) {
            if (i < fitting)
                QVERIFY2(says[i] == "fits", texts[i] + ": " + says[i]);
            else
                QVERIFY2(says[i].startsWith("frames/f/width: ") || says[i].startsWith("frames/f/height: "), texts[i] + ": " + says[i]);
        }
    }

    void sound_documents_fit() {
        QList<QByteArray> texts, names;
        for (const auto& [name, text] : sound) {
            texts.append(text);
            names.append(name);
            (void)Document::from_json(text);
        }
        const QString folder = QString(HEDDLE_SOURCE_DIR) + "/resources/graphs";
        for (const QString& part : {QString(), QString("/pico"), QString("/train")})
            for (const QString& name : QDir(folder + part).entryList({"*.heddle"}, QDir::Files)) {
                QFile file(folder + part + "/" + name);
                QVERIFY(file.open(QIODevice::ReadOnly));
                texts.append(file.readAll());
                names.append(name.toUtf8());
            }
        QVERIFY(texts.size() > 30);
        const QList<QByteArray> says = schema_says(texts);
        if (says.isEmpty()) QSKIP("schema: python3-jsonschema is not installed");
        QCOMPARE(says.size(), texts.size());
        for (qsizetype i = 0; i < says.size(); ++i) QVERIFY2(says[i] == "fits", names[i] + ": " + says[i]);
    }
};

HEDDLE_TEST(schema, SchemaTest)

}  // namespace tests

#include "schema.moc"
