// Curves: what lies between the points, and their text.
#include "nodes/core/curve.h"

#include <algorithm>
#include <cmath>

#include "nodes/core/validate.h"
#include "tests/support/test.h"

namespace tests {

using namespace nodes;

class CurveTest : public QObject {
    Q_OBJECT
private slots:
    void passes_through_its_points_and_is_level_beyond() {
        const Curve curve{.points = {{0.1, 0.3}, {0.4, 0.2}, {0.5, 0.9}, {0.9, 0.8}}};
        for (const CurvePoint& point : curve.points) QVERIFY(std::abs(curve.at(point.x) - point.y) < 1e-12);
        QCOMPARE(curve.at(0), 0.3);
        QCOMPARE(curve.at(1), 0.8);
        QCOMPARE(curve.at(-5), 0.3);
    }

    void two_points_are_a_straight_line() {
        for (const double x : {0.0, 0.125, 0.7, 1.0}) QCOMPARE(Curve().at(x), x);
        QVERIFY(Curve().identity());
        QVERIFY(std::abs((Curve{.points = {{0, 1}, {1, 0.5}}}).at(0.5) - 0.75) < 1e-15);
    }

    // From Hermite's form of the cubics with the slopes of Fritsch and Butland (1984), computed apart.
    void is_the_cubic_of_fritsch_and_butland() {
        const Curve curve{.points = {{0, 0}, {0.3, 0.5}, {0.6, 0.55}, {1, 1}}};
        const std::pair<double, double> expected[] = {{0.05, 0.118844696969697}, {0.15, 0.329261363636364}, {0.29, 0.496317424242424}, {0.4, 0.520199522425042}, {0.45, 0.525848057728622}, {0.59, 0.547314353725185}, {0.7, 0.604724260809665}, {0.9, 0.840860467888936}, {0.99, 0.983338328939699}};
        for (const auto& [x, y] : expected) QVERIFY2(std::abs(curve.at(x) - y) < 1e-12, qPrintable(QString("%1: %2, not %3").arg(x).arg(curve.at(x), 0, 'g', 15).arg(y, 0, 'g', 15)));
    }

    void never_leaves_the_heights_of_its_neighbours() {
        const Curve curve{.points = {{0, 0}, {0.45, 0.02}, {0.5, 1}, {0.55, 0.98}, {0.8, 0.98}, {1, 0}}};
        for (std::size_t i = 0; i + 1 < curve.points.size(); ++i) {
            const auto& [a, b] = std::pair(curve.points[i], curve.points[i + 1]);
            double before = a.y;
            for (int k = 1; k <= 100; ++k) {
                const double y = curve.at(a.x + (b.x - a.x) * k / 100);
                QVERIFY(y >= std::min(a.y, b.y) - 1e-12 && y <= std::max(a.y, b.y) + 1e-12);
                QVERIFY(b.y >= a.y ? y >= before - 1e-12 : y <= before + 1e-12);
                before = y;
            }
        }
    }

    void text_goes_there_and_back() {
        const Curve curve{.points = {{0, 0.1}, {0.3333, 1.0 / 3}, {1, 1}}};
        QVERIFY(parse_curve(curve_text(curve)) == curve);
        QCOMPARE(curve_text(Curve()), std::string(straight_curve));
        QVERIFY(parse_curve("") == Curve());
        QVERIFY(parse_curve("  0:0\n0.5:0.6   1:1 ") == (Curve{.points = {{0, 0}, {0.5, 0.6}, {1, 1}}}));
    }

    void a_document_with_a_broken_curve_is_not_valid() {
        const Document document = Document().add_node("image.curves", "c");
        const auto bad_values = [](const Document& one) { return std::ranges::count(validate(one), ProblemKind::BadValue, &Problem::kind); };
        QCOMPARE(bad_values(document), 0);
        QCOMPARE(bad_values(document.set_param("c", "luma", "0:0 0.2:0.3 1:1")), 0);
        QCOMPARE(bad_values(document.set_param("c", "luma", "0:0 0.2:0.3 0.1:1")), 1);
    }

    void what_is_no_curve_is_refused() {
        std::string many;
        for (int i = 0; i <= Curve::most_points; ++i) many += std::to_string(i / 40.0) + ":0 ";
        for (const std::string& text : {std::string("0:0"), std::string("0:0 0:1"), std::string("0.5:0 0.2:1"), std::string("0:0 1:1.5"), std::string("-1:0 1:1"),
                                        std::string("0:0 1:nan"), std::string("0,0 1,1"), std::string("0:0:0 1:1:1"), std::string("a:b c:d"), many})
            QVERIFY2(!parse_curve(text), text.c_str());
    }
};

}  // namespace tests

HEDDLE_TEST(curve, tests::CurveTest)
#include "curve.moc"
