// What every node type of the program must keep to, whoever writes it.
#include <QRegularExpression>
#include <cmath>
#include <set>

#include "nodes/core/curve.h"
#include "nodes/core/document.h"
#include "nodes/core/find_socket_type.h"
#include "nodes/core/key.h"
#include "nodes/core/lists.h"
#include "nodes/core/plan.h"
#include "nodes/core/validate.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// A legal value other than `value`, or undefined where the range has just one.
QJsonValue another(const ParamInfo& info, const QJsonValue& value) {
    const double number = value.toDouble();
    switch (info.kind) {
        case ParamKind::Bool: return !value.toBool();
        case ParamKind::Int: return number + 1 <= info.max ? number + 1 : number - 1;
        case ParamKind::Number:
            return std::isfinite(info.max) && number < info.max ? (number + info.max) / 2 : number - 0.5;
        case ParamKind::Text:
            if (value.toString() == QLatin1String(straight_curve)) return "0:1 1:0";      // of a curve only another curve is legal
            return value.toString() + "x";
        case ParamKind::InputFile:
        case ParamKind::OutputFile: return value.toString() + "x";
        case ParamKind::Seed: return 12345;
        case ParamKind::Color: return value.toString() == "#123456" ? "#654321" : "#123456";
        case ParamKind::Choice: break;
    }
    for (const std::string& choice : info.choices)
        if (QString::fromStdString(choice) != value.toString()) return QString::fromStdString(choice);
    return QJsonValue::Undefined;
}

std::vector<QJsonValue> initial_values(const Node& node) {
    std::vector<QJsonValue> values;
    for (const ParamInfo& info : node.params()) values.push_back(info.canonical(info.initial));
    return values;
}

// The key that a run would give the node "n" or another.
gpu::Hash planned_key(const Document& document, const std::string& id = "n") {
    return make_plan(document, {id}, {}, nullptr).back().key;
}

}  // namespace

class NodeContractTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void each_data() {
        QTest::addColumn<QString>("id");
        for (const Node* node : node_types())
            QTest::newRow(node->info().id.c_str()) << QString::fromStdString(node->info().id);
    }
    void each() {
        QFETCH(QString, id);
        const Node& node = *find_node_type(id.toStdString());
        const NodeInfo& info = node.info();
        QVERIFY2(QRegularExpression("^[a-z0-9_]+(\\.[a-z0-9_]+)+$").match(id).hasMatch(), "ids are category.name");
        QVERIFY(info.version >= 1 && !info.title.empty() && !info.category.empty() && !info.help.empty());
        QVERIFY2(!node.outputs().empty() || info.side_effect || info.wire, "a node gives a value or writes something");
        for (const auto* sockets : {&node.inputs(), &node.outputs()})
            for (const SocketInfo& socket : *sockets) {
                QVERIFY2(!socket.help.empty() && !socket.label.empty(), socket.name.c_str());
                QVERIFY2(QRegularExpression("^[a-z][a-z0-9_]*$").match(socket.name.c_str()).hasMatch(),
                         socket.name.c_str());
            }
        check_params(node);
        check_round_trip(node);
        check_keys(node);
        check_keys_that_stay(node);
    }

    void each_socket_type() {
        const std::vector<const SocketType*> types = socket_types();
        std::set<std::string> names;
        for (const SocketType* type : types) {
            QVERIFY2(names.insert(type->name).second && find_socket_type(type->name) == type, type->name.c_str());
            QVERIFY2(!type->title.empty() && !type->help.empty(), type->name.c_str());
            QVERIFY2(QRegularExpression("^#[0-9a-f]{6}$").match(type->colour.c_str()).hasMatch(), type->name.c_str());
            for (const Conversion& conversion : type->accepts)
                QVERIFY2(conversion.convert && conversion.from != type->name, type->name.c_str());
        }
        QVERIFY(!find_socket_type("no such type"));
    }

    void two_types_of_one_id_are_refused() {
        QVERIFY_EXCEPTION_THROWN(add_node_type(std::make_unique<Constant>()), gpu::Error);
    }

private:
    void check_params(const Node& node) {
        for (const ParamInfo& param : node.params()) {
            QVERIFY2(!param.help.empty() && !param.label.empty(), param.name.c_str());
            QVERIFY2(QRegularExpression("^[a-z][a-z0-9_]*$").match(param.name.c_str()).hasMatch(), param.name.c_str());
            QVERIFY2(param.problem(param.initial).empty(), param.problem(param.initial).c_str());
            QCOMPARE(std::set<std::string>(param.choices.begin(), param.choices.end()).size(), param.choices.size());
            QVERIFY2(param.kind != ParamKind::Choice || param.choices.size() >= 2, param.name.c_str());
            check_range(param);
            // What --set prints and takes is the same value.
            QCOMPARE(param.parse(param.text(param.initial)), param.canonical(param.initial));
        }
    }

    void check_range(const ParamInfo& param) {
        QVERIFY2(!param.problem(QJsonObject{{"a", 1}}).empty(), param.name.c_str());
        if (param.kind != ParamKind::Int && param.kind != ParamKind::Number) return;
        QVERIFY2(param.min <= param.max && param.step >= 0 && param.decimals >= 0, param.name.c_str());
        QVERIFY2(!param.problem("many").empty(), param.name.c_str());
        for (const double end : {param.min, param.max}) {
            if (!std::isfinite(end)) continue;
            QVERIFY2(param.problem(end).empty(), param.name.c_str());
            const double beyond = end + (end == param.min ? -1 : 1) * (1 + std::abs(end));
            QVERIFY2(!param.problem(beyond).empty(), param.name.c_str());
        }
    }

    void check_round_trip(const Node& node) {
        Document document = Document().add_node(node.info().id, "n");
        for (const ParamInfo& param : node.params())
            document = document.set_param("n", param.name, another(param, param.canonical(param.initial)));
        const Document read = Document::from_json(document.to_json());
        QVERIFY(read == document);
        for (const Problem& problem : validate(read))
            QVERIFY2(problem.kind == ProblemKind::MissingInput || (node.info().loop != LoopPart::None && problem.kind == ProblemKind::BadRegion) ||
                         (as_list(&node) && problem.kind == ProblemKind::BadList),      // a text of numbers with an x
                     problem.text().c_str());
    }

    void check_keys(const Node& node) {
        const std::vector<QJsonValue> values = initial_values(node);
        const std::vector<gpu::Hash> inputs(node.inputs().size());
        const gpu::Hash key = node_key(node, values, inputs);
        QVERIFY(key == node_key(node, values, inputs));
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (node.params()[i].kind == ParamKind::OutputFile) continue;
            std::vector<QJsonValue> changed = values;
            changed[i] = another(node.params()[i], values[i]);
            if (!changed[i].isUndefined())
                QVERIFY2(node_key(node, changed, inputs) != key, node.params()[i].name.c_str());
        }
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            std::vector<gpu::Hash> changed = inputs;
            changed[i] = gpu::hash_text("another");
            QVERIFY2(node_key(node, values, changed) != key, node.inputs()[i].name.c_str());
        }
    }

    // What changes no result changes no key.
    void check_keys_that_stay(const Node& node) {
        const Document plain = Document().add_node(node.info().id, "n");
        const gpu::Hash key = planned_key(plain);
        Document stated = plain;
        for (const ParamInfo& param : node.params()) stated = stated.set_param("n", param.name, param.initial);
        QVERIFY2(planned_key(stated) == key, "initial values count the same, stated or not");
        QVERIFY(planned_key(Document::from_json(stated.to_json())) == key);
        QVERIFY2(planned_key(plain.rename("n", "other"), "other") == key, "the node's name");
        QVERIFY2(planned_key(plain.move("n", {3, 4}).add_node("stub.constant", "aside")) == key, "places and neighbours");
        for (const ParamInfo& param : node.params())
            if (param.kind == ParamKind::OutputFile) QVERIFY2(planned_key(plain.set_param("n", param.name, "elsewhere.x")) == key, "where results go");
        // An input counts by what comes in, not by the name of the node that it comes from.
        for (const SocketInfo& input : node.inputs()) {
            const auto linked = [&](const char* source) { return planned_key(plain.add_node("stub.constant", source).connect({source, "out"}, {"n", input.name})); };
            QVERIFY2(linked("a") == linked("b") && linked("a") != key, input.name.c_str());
        }
    }
};

}  // namespace tests

using tests::NodeContractTest;
HEDDLE_TEST(node_contract, NodeContractTest)
#include "node_contract.moc"
