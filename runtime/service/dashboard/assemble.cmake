# cmake -DFOLDER=folder -DOUTPUT=page.html -P assemble.cmake: the dashboard as one page. Its style and its scripts, in
# this order, take the places that page.html names.
cmake_minimum_required(VERSION 3.25)

set(scripts dom words service judgement overview tables rejects runs actions)

file(READ ${FOLDER}/page.html page)
file(READ ${FOLDER}/page.css style)
set(script "")
foreach(name ${scripts})
  file(READ ${FOLDER}/${name}.js part)
  string(APPEND script "${part}")
endforeach()
string(REPLACE "/* page.css */\n" "${style}" page "${page}")
string(REPLACE "/* scripts */\n" "${script}" page "${page}")
file(WRITE ${OUTPUT} "${page}")
