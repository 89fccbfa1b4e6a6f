// Which queue computes, on the queue family lists of real cards.
#include "gpu/vulkan/queue_family.h"
#include "tests/support/test.h"

using gpu::choose_queue_family;
using gpu::QueueFamily;

class QueueFamilyTest : public QObject {
    Q_OBJECT
private slots:
    void a_queue_apart_from_graphics_is_preferred() {
        const QueueFamily amd[] = {{true, true, true, 1, 64}, {true, false, true, 4, 64}, {false, false, true, 2, 64}};
        QCOMPARE(choose_queue_family(amd), 1u);
        const QueueFamily nvidia[] = {{true, true, true, 16, 64}, {false, false, true, 2, 64}, {true, false, true, 8, 64}};
        QCOMPARE(choose_queue_family(nvidia), 2u);
    }
    void one_family_for_all_serves_too() {
        const QueueFamily lavapipe[] = {{true, true, true, 1, 64}};
        QCOMPARE(choose_queue_family(lavapipe), 0u);
    }
    void timestamps_decide_between_equals() {
        const QueueFamily families[] = {{true, true, true, 1, 64}, {true, false, true, 1, 0}, {true, false, true, 1, 36}};
        QCOMPARE(choose_queue_family(families), 2u);
    }
    void nothing_that_computes_is_told() {
        const QueueFamily families[] = {{false, true, true, 1, 64}, {true, false, true, 0, 64}};
        QCOMPARE(choose_queue_family(families), gpu::no_queue_family);
        QCOMPARE(choose_queue_family({}), gpu::no_queue_family);
    }
};

HEDDLE_TEST(queue_family, QueueFamilyTest)
#include "queue_family.moc"
