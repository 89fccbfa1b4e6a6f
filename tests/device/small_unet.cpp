// All gradients of a small UNet against those stored with the reference data.
#include <cmath>

#include "gpu/graph/autodiff.h"
#include "gpu/nn/small_unet.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "tests/support/test.h"

using namespace gpu;

class SmallUnetTest : public QObject {
    Q_OBJECT
private slots:
    void gradients_are_those_stored() {
        const std::string folder = tests::shared_dir() + "/conformance/unet-grad/";
        if (tests::shared_dir().empty()) QSKIP("unet-grad: no shared reference data");
        Weights files;
        add_weights(files, open_checkpoint(folder + "weights.safetensors"));
        NamedLeaves weights;
        for (const auto& [name, weight] : files) weights[name] = to_leaf(weight);
        const Scope scope = Scope::tensors(weights);
        const nn::SmallUnet unet(scope, {.channels = {32, 64}, .attends = {true, false}, .context = 32});
        scope.finish("unet-grad");

        const Checkpoint in = open_checkpoint(folder + "inputs.safetensors"), expected = open_checkpoint(folder + "expected.safetensors");
        const auto input = [](const Checkpoint& file, const std::string& name) { return to_leaf({*file.find(name), file.owner(), file.path()}); };
        const Tensor context = input(in, "context");
        const Tensor loss = mean(square(unet(input(in, "latent"), input(in, "timestep"), context) - input(in, "target")));
        std::vector<std::string> names{"grad_context"};
        Tensors wrt{context};
        for (const auto& [name, weight] : weights) {
            names.push_back("grad." + name);
            wrt.push_back(weight);
        }
        Tensors results = gradients(loss, wrt);
        results.push_back(loss);
        names.push_back("loss");
        evaluate(results);
        QCOMPARE(results.size(), expected.entries().size());
        // A bias before a norm of single channels has no gradient but rounding: errors of a millionth of the whole count for none.
        double whole = 0;
        for (const std::string& name : names) whole = std::hypot(whole, length(read_doubles(input(expected, name).value())));
        for (std::size_t i = 0; i < results.size(); ++i) {
            const std::vector<double> wanted = read_doubles(input(expected, names[i]).value());
            std::vector<double> off = read_doubles(results[i].value());
            QCOMPARE(off.size(), wanted.size());
            for (std::size_t k = 0; k < off.size(); ++k) off[k] -= wanted[k];
            QVERIFY2(length(off) < 3e-3 * length(wanted) + 1e-6 * whole,
                     qPrintable(QString("%1: off by %2 of %3").arg(QString::fromStdString(names[i])).arg(length(off)).arg(length(wanted))));
        }
    }

private:
    static double length(const std::vector<double>& x) {
        double squares = 0;
        for (const double value : x) squares += value * value;
        return std::sqrt(squares);
    }
    using NamedLeaves = std::map<std::string, Tensor, std::less<>>;
};

HEDDLE_TEST(small_unet, SmallUnetTest)
#include "small_unet.moc"
