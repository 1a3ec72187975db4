/** What is wrong in one Jenkinsfile, by line. */
class Findings {
    static final String OWNER = 'belongs to the job, whose configuration `autoctrl jenkins sync` writes: a build would change it.'
    List<Map> all = []

    /** Keep what Jenkins would refuse, unless another rule is broken. */
    void add(int line, String text, String rule = 'jenkins') { all << [line: line, rule: rule, text: text] }

    /** Keep that a part of a Jenkinsfile is the job's own. */
    void addOwned(int line, String what) { add(line, "${what} ${OWNER}", 'project') }

    /** Keep that a name is none of those that are known. */
    void addUnknown(Call call, String what, Collection names) { add(call.line, "Undefined ${what} \"${call.name}\".${near(call.name, names)}") }

    /** Whether Jenkins would take the file, wherever its parts belong. */
    boolean getIsTaken() { all.every { it.rule == 'project' } }

    /** Return a hint at the name that resembles a word, if one does. */
    static String near(String word, Collection names) {
        def letters = word.toLowerCase().toList().sort()
        def close = names.findAll { it.size() > 2 && (it.toLowerCase().toList().sort() == letters || it.startsWith(word) || word.startsWith(it)) }
        close ? " Did you mean ${close.min()}?" : ''
    }
}
