package api

// tables lists the areas of the catalogue.
func tables() [][]Action {
	return [][]Action{
		handleTable,
		propertiesTable,
		drivesTable,
		domainsTable,
		applianceTable,
		partitionsTable,
		blockdevTable,
		mountTable,
		mountLocalTable,
		filesystemsTable,
		swapTable,
		extTable,
		xfsTable,
		lvmTable,
		luksTable,
		mdTable,
		ldmTable,
		ntfsTable,
		scrubTable,
		squashfsTable,
		bootTable,
		btrfsTable,
		btrfsSubTable,
		inspectTable,
		watchTable,
		copyingTable,
		filesTable,
		contentTable,
		xattrTable,
		yaraTable,
		transferTable,
		commandTable,
	}
}
