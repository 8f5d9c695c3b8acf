# cmake -DPROGRAM=FILE -DOUTPUT=FILE -P page.cmake: the man page of bqlocal, which is what it says about itself.
execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --version OUTPUT_VARIABLE version COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${version}" version)
string(REGEX REPLACE "^bqlocal: ([^\n]*)\n+(.*)$" "\\1" summary "${help}")
string(REGEX REPLACE "^bqlocal: [^\n]*\n+" "" help "${help}")
string(REPLACE "\\" "\\e" help "${help}")
string(REPLACE "-" "\\-" help "${help}")
file(WRITE ${OUTPUT} ".TH BQLOCAL 1 \"\" \"${version}\"\n.SH NAME\nbqlocal \\- ${summary}\n.SH USAGE\n.nf\n${help}.fi\n"
  ".SH SEE ALSO\n.BR bqsync (1)\n")
