J€©ˆA]ëO@´QÁAaý>Açô¡A¤ÒA
BãA3"†AÚ»ÊAy/\@•þB„š9ATC4AË `@˜‘A`Ë*ASOAÿFA,£²A×„A›M¤A?™š@…dáAµ<<A"Äà@)‚a@7ÒaAä½8A,32AÓ«AO±ŠAòî~A