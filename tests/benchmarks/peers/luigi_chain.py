import luigi


class First(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"{type(self).__name__}/{self.number}")

    def run(self):
        self.output().open("w").close()


class Second(First):
    def requires(self):
        return First(self.number)


class Third(First):
    def requires(self):
        return Second(self.number)


class Chain(luigi.WrapperTask):
    runs = luigi.IntParameter()

    def requires(self):
        return [Third(number) for number in range(1, self.runs + 1)]
