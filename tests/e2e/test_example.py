"""The program that the documentation shows."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment


class ExampleTest(unittest.TestCase):
    def test_the_example_program_syncs_all_tables(self):
        with Bqlocal(datasets=["d"]) as bq, Deployment(bq) as app:
            app.program = str(BUILD / "example")
            app.execute("insert into accounts values (1, 'a@x', 1, null)")

            status, out, err = app.run(str(app.path))

            self.assertEqual(0, status, err)
            self.assertIn("accounts: synced, 1 inserted, 0 updated, 0 deleted\n", out)
            self.assertEqual(1, bq.scalar("select count(*) from d.accounts"))


if __name__ == "__main__":
    unittest.main()
