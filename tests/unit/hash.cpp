#include "gpu/base/hash.h"
#include "tests/support/test.h"

class HashTest : public QObject {
    Q_OBJECT
private slots:
    void strings_carry_their_length() {
        QVERIFY(gpu::Hasher().add("ab").add("c").finish() != gpu::Hasher().add("a").add("bc").finish());
    }
    void equal_fields_hash_equal() {
        QVERIFY(gpu::Hasher().add(1).add("x").finish() == gpu::Hasher().add(1).add("x").finish());
    }
    void hex_has_32_digits() { QCOMPARE(gpu::hash_text("heddle").hex().size(), 32u); }
};

HEDDLE_TEST(hash, HashTest)
#include "hash.moc"
