/* Plain C loops of which the compiler makes a version of the widest registers of the machine: nothing is contracted or
   reordered, so every version gives the same bits. */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__)
#define FOR_EACH_MACHINE __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_MACHINE
#endif
