// Text on contact sheets.
#include <algorithm>
#include <numeric>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/label_font.h"
#include "nodes/codec/sheet_labels.h"
#include "nodes/types/image.h"
#include "nodes/types/text.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::run_node;

namespace {

// Of a plane `stride` wide: the columns and rows that hold ink, first and last; none: {0, -1}.
struct Ink {
    int left = 0, right = -1, top = 0, bottom = -1;
};
Ink ink_of(const std::vector<std::uint8_t>& plane, int stride) {
    Ink ink{.left = stride, .top = static_cast<int>(plane.size()) / stride};
    for (std::size_t i = 0; i < plane.size(); ++i)
        if (plane[i] > 0) {
            const int x = static_cast<int>(i) % stride, y = static_cast<int>(i) / stride;
            ink = {std::min(ink.left, x), std::max(ink.right, x), std::min(ink.top, y), std::max(ink.bottom, y)};
        }
    return ink;
}

Value grey(int count, int width, int height, float value) {
    return Value::of<Image>(make_image(gpu::full({count, 3, height, width}, value)));
}

}  // namespace

class LabelsTest : public QObject {
    Q_OBJECT
private slots:
    void letters_lie_where_they_should() {
        const LabelFont font(20);
        const int width = font.width("guidance: 7.5"), line = font.line_height();
        QVERIFY2(width > 80 && width < 200 && line >= 20 && line < 40, qPrintable(QString("%1 x %2").arg(width).arg(line)));
        std::vector<std::uint8_t> plane(300 * 60);
        font.draw("guidance: 7.5", 30, 10, plane, 300);
        const Ink ink = ink_of(plane, 300);
        QVERIFY(ink.left >= 29 && ink.left < 36 && ink.right <= 30 + width && ink.right > 30 + width - 8);
        QVERIFY(ink.top >= 10 && ink.bottom < 10 + line);
        const int sum = std::accumulate(plane.begin(), plane.end(), 0) / 255;
        QVERIFY2(sum > 300 && sum < 1500, qPrintable(QString::number(sum)));      // pixels of ink
        // Outside of the plane nothing is drawn, and nothing is written.
        std::vector<std::uint8_t> corner(10 * 10);
        font.draw("MMMM", -15, -5, corner, 10);
        font.draw("MMMM", 5, 8, corner, 10);
        QVERIFY(ink_of(corner, 10).right >= 0);
        font.draw("M", 4000, 4000, corner, 10);
        font.draw("\xff\xc3", 0, 0, corner, 10);
        font.draw("", 0, 0, corner, 10);
        QCOMPARE(font.width(""), 0);
    }

    void numbers_behind_hebrew_run_rightwards() {
        const LabelFont font(20);
        const auto drawn = [&](std::vector<std::pair<int, const char*>> texts) {
            std::vector<std::uint8_t> plane(300 * 40);
            for (const auto& [x, text] : texts) font.draw(text, x, 5, plane, 300);
            return plane;
        };
        const auto ink = [](const std::vector<std::uint8_t>& plane, int from) {
            int sum = 0;
            for (std::size_t i = 0; i < plane.size(); ++i) sum += static_cast<int>(i) % 300 >= from ? plane[i] : 0;
            return sum;
        };
        // The last digit stands last; the first letter of the words stands right of the last one.
        const int digit = ink(drawn({{10, "אב 71"}}), 10 + font.width("אב 7"));
        QVERIFY2(std::abs(digit - ink(drawn({{10, "1"}}), 0)) < 400, qPrintable(QString::number(digit)));
        QVERIFY(font.width("אב גד") > font.width("אב"));
        QVERIFY(drawn({{10, "א ל"}}) != drawn({{10, "ל א"}}));
    }

    void lines_are_broken_and_cut() {
        const LabelFont font(16);
        const auto lines = font.wrapped("a red heart on a blue apple", font.width("a red heart"), 9);
        QCOMPARE(lines, (std::vector<std::string>{"a red heart", "on a blue", "apple"}));
        QCOMPARE(font.wrapped("one\ntwo", 1000, 4), (std::vector<std::string>{"one", "two"}));
        QCOMPARE(font.wrapped("one\ntwo\nthree", 1000, 2), (std::vector<std::string>{"one", "two..."}));
        QCOMPARE(font.wrapped("fits as it is", 1000, 1), (std::vector<std::string>{"fits as it is"}));
        const auto cut = font.wrapped("a red heart on a blue apple", font.width("a red heart"), 2);
        QCOMPARE(cut[0], std::string("a red heart"));
        QVERIFY(cut.size() == 2 && cut[1].ends_with("...") && font.width(cut[1]) <= font.width("a red heart"));
        // One long word, and text without spaces.
        for (const std::string& line : font.wrapped("incomprehensibilities", 40, 20)) QVERIFY(font.width(line) <= 40 && !line.empty());
        std::string whole;
        for (const std::string& line : font.wrapped("红色的心和蓝色的苹果", 60, 20)) whole += line;
        QCOMPARE(whole, std::string("红色的心和蓝色的苹果"));
        QCOMPARE(font.wrapped("W", 1, 3), (std::vector<std::string>{"W"}));      // narrower than a letter: still an end
        QCOMPARE(font.wrapped("", 10, 3), (std::vector<std::string>{""}));
    }

    void a_sheet_without_texts_has_no_room_for_them() {
        const SheetLayout plain(3, 2, 64, 48, 4);
        QVERIFY(plain.left() == 0 && plain.top() == 0 && plain.caption() == 0 && plain.coverage().empty());
        QVERIFY(plain.sheet_width() == 3 * 68 + 4 && plain.sheet_height() == 2 * 52 + 4 && plain.x(2) == 140 && plain.y(1) == 56);
    }

    void labels_stand_at_their_pictures() {
        const SheetLayout layout(2, 2, 100, 80, 4, {{"left", "right"}, {"up", "down"}, {"", "", "", "last"}});
        QVERIFY(layout.left() > 20 && layout.top() > 11 && layout.caption() > 11);
        const std::vector<std::uint8_t> plane = layout.coverage();
        const int width = layout.sheet_width();
        QCOMPARE(plane.size(), static_cast<std::size_t>(width * layout.sheet_height()));
        const auto part = [&](int x, int y, int w, int h) {
            int sum = 0;
            for (int v = y; v < y + h; ++v)
                for (int u = x; u < x + w; ++u) sum += plane[static_cast<std::size_t>(v * width + u)];
            return sum;
        };
        for (const int column : {0, 1}) QVERIFY(part(layout.x(column), 0, 100, layout.top()) > 1000);
        for (const int row : {0, 1}) QVERIFY(part(0, layout.y(row), layout.left(), 80) > 1000);
        for (int i = 0; i < 4; ++i) {
            const int x = layout.x(i % 2), y = layout.y(i / 2);
            QCOMPARE(part(x, y, 100, 80), 0);      // nothing on the pictures
            QCOMPARE(part(x, y - layout.caption(), 100, layout.caption()) > 0, i == 3);
        }
        QCOMPARE(part(0, 0, layout.left(), layout.top()), 0);
    }

    void the_node_writes_them() {
        const auto at = [](const Image& sheet, int x, int y) { return gpu::to_floats(sheet.tensor)[static_cast<std::size_t>(y * sheet.width() + x)]; };
        const std::map<std::string, Value> inputs{{"images", grey(4, 50, 40, 0.25f)}, {"column_labels", Value::of<std::string>("a: 1\na: 2")}, {"row_labels", Value::of<std::string>("b: 3\nb: 4")}};
        const SheetLayout layout(2, 2, 50, 40, 3, {{"a: 1", "a: 2"}, {"b: 3", "b: 4"}, {}});
        const std::vector<std::uint8_t> letters = layout.coverage();
        const auto darkest = static_cast<int>(std::max_element(letters.begin(), letters.end()) - letters.begin());
        const int x = darkest % layout.sheet_width(), y = darkest / layout.sheet_width();
        for (const bool dark : {false, true}) {
            const auto run = run_node("image.sheet", {{"columns", 2}, {"gap", 3}, {"background", dark ? "#101010" : "#ffffff"}}, inputs);
            const Image& sheet = run.get<Image>("image");
            QVERIFY(sheet.width() == layout.sheet_width() && sheet.height() == layout.sheet_height());
            QCOMPARE(at(sheet, layout.x(1), layout.y(1)), 0.25f);
            QCOMPARE(at(sheet, layout.x(1) + 49, layout.y(1) + 39), 0.25f);
            QVERIFY(std::abs(at(sheet, layout.x(1) + 50, layout.y(1)) - (dark ? 16 / 255.0f : 1.0f)) < 1e-6f);
            QVERIFY(dark ? at(sheet, x, y) > 0.9f : at(sheet, x, y) < 0.1f);
        }
    }
};

HEDDLE_TEST(labels, LabelsTest)
#include "labels.moc"
