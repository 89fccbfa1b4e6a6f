// SPIR-V of the NV form of cooperative matrices becomes the KHR form.
#include "gpu/vulkan/cooperative_matrix.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/caps.h"
#include "gpu/vulkan/pipeline.h"
#include "gpu/vulkan/quirks.h"
#include "tests/isa/null_device.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

const char* head = R"(#version 460
#include "common/types.glsl"
#include "common/coopmat.glsl"
layout(local_size_x = 32) in;
layout(push_constant, scalar) uniform Push { F32 c; uint K; } p;
shared uvec4 tile[2 * 16 * 3];
shared float stage[256];
)";
const char* product = R"(
void main() {
    CoopC sum = COOP_ZERO;
    for (uint k = 0; k < p.K; k += 16) {
        CoopA a;
        CoopB b;
        COOP_LOAD_A(a, tile, 0, 3);
        COOP_LOAD_B(b, tile, 48, 3);
        sum = COOP_PRODUCT(a, b, sum);
    }
    COOP_STORE(sum, stage, 0, 16);
    barrier();
    store_F32(p.c, gl_LocalInvocationIndex, stage[gl_LocalInvocationIndex]);
}
)";

struct Counts {
    std::map<std::uint32_t, std::vector<std::vector<std::uint32_t>>> by_opcode;   // opcode -> operands of each
    bool whole = true;
};

Counts count(const std::vector<std::uint32_t>& words) {
    Counts counts;
    std::size_t at = 5;
    while (at < words.size()) {
        const std::size_t length = words[at] >> 16;
        if (length == 0 || at + length > words.size()) break;
        counts.by_opcode[words[at] & 0xffff].emplace_back(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.begin() + static_cast<std::ptrdiff_t>(at + length));
        at += length;
    }
    counts.whole = at == words.size();
    return counts;
}

}  // namespace

class CooperativeMatrixTest : public QObject {
    Q_OBJECT
private slots:
    void says_the_khr_form() {
        const std::vector<std::uint32_t> words = compile_glsl("coop", std::string(head) + product, {});
        const Counts counts = count(words);
        QVERIFY(counts.whole);
        for (const std::uint32_t nv : {5358u, 5359u, 5360u, 5361u, 5362u}) QVERIFY(!counts.by_opcode.contains(nv));
        QCOMPARE(counts.by_opcode.at(4456).size(), std::size_t{3});   // types
        QCOMPARE(counts.by_opcode.at(4457).size(), std::size_t{2});   // loads
        QCOMPARE(counts.by_opcode.at(4458).size(), std::size_t{1});   // stores
        QCOMPARE(counts.by_opcode.at(4459).size(), std::size_t{1});   // products
        std::map<std::uint32_t, std::uint32_t> constants;
        for (const auto& operands : counts.by_opcode.at(43)) constants[operands[1]] = operands[2];
        // Type, result and operands of the product: accumulator, A, B, accumulator by their types' uses.
        std::map<std::uint32_t, std::uint32_t> use;
        for (const auto& type : counts.by_opcode.at(4456)) {
            QCOMPARE(type.size(), std::size_t{6});
            use[type[0]] = constants.at(type[5]);
        }
        const auto& fma = counts.by_opcode.at(4459)[0];
        QCOMPARE(use.at(fma[0]), 2u);
        // A is loaded row-major, B column-major, both with the stride after the layout.
        for (const auto& load : counts.by_opcode.at(4457)) {
            QCOMPARE(constants.at(load[3]), use.at(load[0]));
            QCOMPARE(constants.at(load[4]), 3u);
        }
        QCOMPARE(constants.at(counts.by_opcode.at(4458)[0][2]), 0u);
        QCOMPARE(constants.at(counts.by_opcode.at(4458)[0][3]), 16u);
        for (const auto& capability : counts.by_opcode.at(17)) QVERIFY(capability[0] != 5357);
    }

    // Result ids stay below the bound, are unique, and constants stand before the types that name them.
    void ids_are_in_order() {
        const std::vector<std::uint32_t> words = compile_glsl("coop", std::string(head) + product, {});
        std::map<std::uint32_t, int> made;
        for (std::size_t at = 5; at < words.size(); at += words[at] >> 16) {
            const std::uint32_t code = words[at] & 0xffff;
            if (code == 43 || code == 50) {   // OpConstant, OpSpecConstant
                QVERIFY(words[at + 2] < words[3]);
                QCOMPARE(++made[words[at + 2]], 1);
            }
            if (code == 4456)
                for (int operand = 3; operand <= 6; ++operand) QVERIFY(made.contains(words[at + static_cast<std::size_t>(operand)]));
        }
    }

    // With validation on, an RDNA 3 that is not there is listed without them where the layer would complain of them.
    void old_validation_layers_are_spared_them() {
        std::string why;
        const auto null_device = tests::NullDevice::open("navi31", why);
        if (!null_device) QSKIP(why.c_str());
        if (!null_device->cooperative_matrix()) QSKIP("this driver has no cooperative matrices");
        std::uint32_t count = 0;
        vkEnumerateInstanceLayerProperties(&count, nullptr);
        std::vector<VkLayerProperties> layers(count);
        vkEnumerateInstanceLayerProperties(&count, layers.data());
        const auto layer = std::find_if(layers.begin(), layers.end(), [](const auto& one) { return std::strcmp(one.layerName, "VK_LAYER_KHRONOS_validation") == 0; });
        if (layer == layers.end()) QSKIP("VK_LAYER_KHRONOS_validation is not installed");

        qputenv("RADV_FORCE_FAMILY", "navi31");
        const auto matrices = [](bool validation) {
            const ScopedSwitch on(&Switches::validation, validation);
            for (const Caps& caps : list_devices())
                if (quirks_of(caps).executes_nothing) return caps.cooperative_matrix ? 1 : 0;
            return -1;   // not listed
        };
        const int plain = matrices(false), validated = matrices(true);
        qunsetenv("RADV_FORCE_FAMILY");
        QCOMPARE(plain, 1);
        QCOMPARE(validated, layer->specVersion < VK_MAKE_API_VERSION(0, 1, 3, 255) ? 0 : 1);
    }

    void leaves_other_modules_alone() {
        const std::vector<std::uint32_t> words = compile_glsl("plain", "#version 460\nlayout(local_size_x = 1) in;\nvoid main() {}\n", {});
        QVERIFY(to_khr_cooperative_matrix(words) == words);
    }

    void refuses_one_type_of_two_uses() {
        const std::string text = std::string(head) + "#ifdef GL_KHR_cooperative_matrix\n#error KHR\n#endif\n" + R"(
            void main() {
                fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> a, b;
                CoopC sum = COOP_ZERO;
                COOP_LOAD_A(a, tile, 0, 3);
                COOP_LOAD_B(b, tile, 48, 3);
                COOP_STORE(coopMatMulAddNV(a, b, sum), stage, 0, 16);
            })";
        try {
            compile_glsl("coop_same", text, {});
            QFAIL("one type served as A and as B");
        } catch (const Error& error) {
            if (std::strstr(error.what(), "KHR")) QSKIP("this glslang compiles the KHR form itself");
            QVERIFY2(std::strstr(error.what(), "serves as"), error.what());
        }
    }

    void refuses_damaged_words() {
        std::vector<std::uint32_t> words = compile_glsl("plain", "#version 460\nlayout(local_size_x = 1) in;\nvoid main() {}\n", {});
        words[5] = 0;
        QVERIFY_THROWS_EXCEPTION(Error, to_khr_cooperative_matrix(words));
        QVERIFY_THROWS_EXCEPTION(Error, to_khr_cooperative_matrix({1, 2}));
    }

    void spirv_val_accepts_it() {
        const QString validator = QStandardPaths::findExecutable("spirv-val");
        if (validator.isEmpty()) QSKIP("spirv-val (spirv-tools) is not installed");
        const std::vector<std::uint32_t> words = compile_glsl("coop", std::string(head) + product, {});
        QTemporaryDir folder;
        const QString path = folder.filePath("coop.spv");
        std::ofstream(path.toStdString(), std::ios::binary).write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(words.size() * 4));
        QProcess run;
        run.start(validator, {"--target-env", "vulkan1.2", path});
        QVERIFY(run.waitForFinished());
        const QByteArray output = run.readAllStandardOutput() + run.readAllStandardError();
        // Debian 12's spirv-tools know nothing of the KHR extension's numbers.
        if (output.contains("Invalid opcode") || output.contains("6022") || output.contains("Invalid capability")) QSKIP("this spirv-val does not know SPV_KHR_cooperative_matrix");
        QVERIFY2(run.exitCode() == 0, output.constData());
    }
};

HEDDLE_TEST(cooperative_matrix, CooperativeMatrixTest)
#include "cooperative_matrix.moc"
